package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// maxWhere is how often comments may use the word "where", per 1,000 words.
const maxWhere = 3

func main() {
	words := flag.Bool("words", false, "also print how many words the comments and the documents have")
	flag.Parse()
	ok, err := run(os.Stdout, *words)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run checks the tracked files below the working directory, prints the problems
// to w, and reports whether there are none.
func run(w io.Writer, words bool) (bool, error) {
	files, err := tracked()
	if err != nil {
		return false, err
	}
	var problems []problem
	var comments, documents count
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		switch {
		case strings.HasPrefix(file, "internal/style/"): // has the phrases in its tables
		case slices.Contains(strings.Split(path.Dir(file), "/"), "testdata"):
		case strings.HasSuffix(file, ".go"):
			found, n, err := checkGo(file, src)
			if err != nil {
				return false, err
			}
			problems, comments = append(problems, found...), comments.add(n)
		case strings.HasSuffix(file, ".md"):
			found, n := checkMarkdown(file, src)
			problems, documents = append(problems, found...), documents.add(n)
		}
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	ok := len(problems) == 0
	if 1000*comments.where > maxWhere*comments.words {
		fmt.Fprintf(w, "comments have %d words, %d of which are \"where\": at most %d of 1,000; a condition takes \"if\" or \"when\"\n",
			comments.words, comments.where, maxWhere)
		ok = false
	}
	if words {
		fmt.Fprintf(w, "comments: %s\ndocuments: %s\n", comments, documents)
	}
	return ok, nil
}

// tracked returns the paths of the files that git tracks below the working
// directory, without those that are deleted in it.
func tracked() ([]string, error) {
	out, err := exec.Command("git", "ls-files", "-z", "--", "*.go", "*.md").Output()
	if err != nil {
		return nil, fmt.Errorf("list the tracked files: %w", err)
	}
	var files []string
	for _, name := range bytes.Split(bytes.Trim(out, "\x00"), []byte{0}) {
		if _, err := os.Stat(string(name)); err == nil {
			files = append(files, string(name))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("git tracks no Go file here; run this at the root of the repository")
	}
	return files, nil
}
