package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the README shows is so: its Go and YAML stand in files that are
// compiled and tested, and its commands print what it says.

var block = regexp.MustCompile("(?ms)(?:^<!-- (\\S+) -->\\n)?^```(\\w+)\\n(.*?)^```$")

func readme(t *testing.T) [][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	blocks := block.FindAllStringSubmatch(string(data), -1)
	require.NotEmpty(t, blocks)
	return blocks
}

func TestReadmeQuotesFiles(t *testing.T) {
	quoted := 0
	for _, b := range readme(t) {
		file, language, text := b[1], b[2], b[3]
		if file == "" {
			assert.NotEqual(t, "go", language, "a block of Go names the file that it quotes:\n%s", text)
			continue
		}
		quoted++
		data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		require.NoError(t, err)
		for _, part := range strings.Split(text, "\n\n") {
			assert.True(t, strings.Contains(string(data), strings.TrimSpace(part)), "%s does not have:\n%s", file, part)
		}
	}
	require.NotZero(t, quoted)
}

func TestReadmeCommandsPrintWhatItShows(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	binary := build(t)
	ran := 0
	for _, b := range readme(t) {
		if b[2] != "console" {
			continue
		}
		for _, session := range strings.Split("\n"+b[3], "\n$ ")[1:] {
			command, want, _ := strings.Cut(session, "\n")
			args, ok := strings.CutPrefix(command, "go run . ")
			if !ok {
				continue
			}
			ran++
			t.Run(command, func(t *testing.T) {
				cmd := exec.Command("bash", "-c", `"$0" `+args, binary)
				cmd.Dir = root
				out, err := cmd.CombinedOutput()
				if err != nil {
					require.ErrorAs(t, err, new(*exec.ExitError))
				}
				if want = strings.TrimRight(want, "\n"); want == "" {
					require.NoError(t, err, "%s", out)
					return
				}
				// A line of three dots stands for any lines.
				var pattern []string
				for _, part := range strings.Split("\n"+want+"\n", "\n...\n") {
					pattern = append(pattern, regexp.QuoteMeta(part))
				}
				assert.Regexp(t, "(?s)^"+strings.Join(pattern, "\n.*")+"$", "\n"+strings.TrimRight(string(out), "\n")+"\n")
			})
		}
	}
	require.NotZero(t, ran)
}

var (
	picture = regexp.MustCompile(`<img [^>]*src="([^"]+\.svg)"[^>]*alt="[^"]+"`)
	draws   = regexp.MustCompile("`go run \\. (graph [^`]* -o svg)`")
)

func TestReadmePictureIsWhatItsCommandDraws(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	shown, command := picture.FindSubmatch(data), draws.FindSubmatch(data)
	require.NotNil(t, shown, "the README shows a picture")
	require.NotNil(t, command, "the README has the command that draws it")
	want, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(string(shown[1]))))
	require.NoError(t, err)
	cmd := exec.Command("bash", "-c", `"$0" `+string(command[1]), build(t))
	cmd.Dir = root
	got, err := cmd.Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}
