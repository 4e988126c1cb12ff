package command

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/konveyor/dynamic-pipeline/internal/wording"
)

// maxStream is the maximum size of a stream in bytes, both before and after decompression.
const maxStream = 64 << 20

// tooLargeError reports a stream that is larger than the limit.
type tooLargeError struct {
	Stream string
	Limit  int
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than the limit of %d MiB; split it, or list fewer objects", e.Stream, e.Limit>>20)
}

// compressedError reports a stream that begins like a gzip file and cannot be decompressed.
type compressedError struct {
	Stream string
	Err    error
}

func (e *compressedError) Error() string {
	hint := "give it as gzip wrote it"
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		hint = "was it cut off?"
	}
	return fmt.Sprintf("%s cannot be decompressed: %v; %s", e.Stream, e.Err, hint)
}

// Unwrap returns the error of gzip.
func (e *compressedError) Unwrap() error { return e.Err }

// extensions are the extensions of the files that are read in a directory, each also
// followed by .gz.
var extensions = []string{".yaml", ".yml", ".json"}

// documents reads files and directories and prints the problems with them. It returns
// everything that could be read, without the objects for which keep is false. If keep is
// nil, it returns all objects.
func (a *app) documents(files []string, keep func(*Object) bool) *input {
	in := new(input)
	for _, file := range files {
		if info, err := os.Stat(file); file != "-" && err == nil && info.IsDir() {
			a.directory(in, file, keep)
			continue
		}
		in.take(&reader{app: a, stream: streamNames([]string{file})[0], keep: keep}, file)
	}
	return in
}

// directory reads the files in a directory and below it, in the order of their names.
func (a *app) directory(in *input, directory string, keep func(*Object) bool) {
	read := 0
	lost := func(name string, err error) error {
		a.problem(cannotRead(err))
		in.lost = append(in.lost, name)
		return nil // continue with the others
	}
	// The separator makes WalkDir follow a symbolic link.
	_ = filepath.WalkDir(filepath.Clean(directory)+string(filepath.Separator), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return lost(name, err)
		}
		if entry.IsDir() || !slices.Contains(extensions, filepath.Ext(strings.TrimSuffix(name, ".gz"))) {
			return nil
		}
		info, err := os.Stat(name) // follows links
		switch {
		case err != nil:
			return lost(name, err)
		case info.Mode().IsRegular():
			read++
			in.take(&reader{app: a, stream: name, walked: true, keep: keep}, name)
		}
		return nil
	})
	if read == 0 {
		a.problem(
			fmt.Errorf("%s: no file in it ends in %s, or one of these with .gz; check the name", directory, wording.List(extensions, "or")))
		in.lost = append(in.lost, directory)
	}
}

// take reads a stream.
func (in *input) take(r *reader, file string) {
	text, err := r.slurp(file)
	if err != nil {
		r.problem(err)
		r.lost = true
	} else {
		r.read(text)
		if !r.some && !r.bad {
			r.wrong(0, "", "is empty; give what kubectl get -o yaml or -o json prints")
		}
	}
	in.documents = append(in.documents, r.documents...)
	if r.lost {
		in.lost = append(in.lost, r.stream)
	}
}

// streamNames returns the names of files in messages.
func streamNames(files []string) []string {
	names := slices.Clone(files)
	for i, file := range names {
		if file == "-" {
			names[i] = "standard input"
		}
	}
	return names
}

// slurp reads and, if needed, decompresses the text of a stream. The text must be within
// the limit.
func (r *reader) slurp(file string) ([]byte, error) {
	if text, held := r.held[file]; held {
		return text, nil
	}
	in := r.stdin
	var text bytes.Buffer
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, cannotRead(err)
		}
		defer f.Close()
		in = f
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if info.Size() > maxStream {
				return nil, &tooLargeError{Stream: r.stream, Limit: maxStream}
			}
			text.Grow(int(info.Size()) + bytes.MinRead) // room for the last read, which finds the end
		}
	}
	buffered := bufio.NewReader(io.LimitReader(in, maxStream+1))
	in = buffered
	magic, _ := buffered.Peek(2) // an error is returned by the next read
	compressed := string(magic) == "\x1f\x8b"
	if compressed {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, &compressedError{r.stream, err}
		}
		in = z
	}
	_, err := text.ReadFrom(io.LimitReader(in, maxStream+1))
	switch {
	case text.Len() > maxStream:
		return nil, &tooLargeError{Stream: r.stream, Limit: maxStream}
	case err != nil && compressed:
		return nil, &compressedError{r.stream, err}
	case err != nil:
		return nil, cannotRead(err)
	}
	return text.Bytes(), nil
}

// hold reads the text of a stream and keeps it, because a pipe can be read only once.
func (a *app) hold(file string) ([]byte, error) {
	r := &reader{app: a, stream: streamNames([]string{file})[0]}
	text, err := r.slurp(file)
	if err == nil {
		if a.held == nil {
			a.held = make(map[string][]byte)
		}
		a.held[file] = text
	}
	return text, err
}

// cannotRead returns the error of a file that cannot be read, with a hint if there is one.
func cannotRead(err error) error {
	hint := ""
	if errors.Is(err, fs.ErrNotExist) {
		hint = "; check the name"
	}
	return fmt.Errorf("cannot read: %w%s", err, hint)
}
