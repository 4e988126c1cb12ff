package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// regular returns an error if a file is not regular: such a file cannot be replaced, and
// reading it may never end. A file that does not exist is accepted.
func regular(file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory; give a file", file)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file and cannot be replaced; name a regular file", file)
	}
	return nil
}

// replaceFile replaces the text of a file atomically. The mode is kept; a new file gets the
// usual one. A symbolic link is kept and its target replaced; a link without a target is an
// error.
func replaceFile(file string, text []byte) (err error) {
	mode := fs.FileMode(0o644)
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	} else if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is a link to a missing file; create that file, or name another", file)
	}
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := regular(file); err != nil {
		return err
	}
	if mode&0o200 == 0 {
		return fmt.Errorf("%s is read-only; make it writable first", file)
	}
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		var cause *fs.PathError // it names the temporary file
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return fmt.Errorf("no file can be created in %s: %w", filepath.Dir(file), err)
	}
	defer func() {
		if err != nil {
			_ = next.Close()
			_ = os.Remove(next.Name())
		}
	}()
	if _, err := next.Write(text); err != nil {
		return err
	}
	if err := next.Chmod(mode); err != nil {
		return err
	}
	if err := next.Sync(); err != nil {
		return err
	}
	if err := next.Close(); err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}
