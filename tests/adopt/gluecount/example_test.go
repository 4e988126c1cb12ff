package gluecount_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/konveyor/dynamic-pipeline/tests/adopt/gluecount"
)

// write creates a directory with a file of glue.
func write(source string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "glue"); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "glue.go"), []byte(source), 0o600)
}

func ExampleCount() {
	dir, err := write("// Package p is glue.\npackage p\n\nvar a = 1\n")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	n, err := gluecount.Count(dir)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleFileError() {
	dir, err := write("package p\nvar a=1\n")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	_, err = gluecount.Count(dir)
	var file *gluecount.FileError
	if errors.As(err, &file) {
		fmt.Println(filepath.Base(file.File), file.Problem)
	}
	// Output: glue.go is not formatted; run gofmt
}
