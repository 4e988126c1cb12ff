package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// regular refuses a file that is not a regular one, since such a file cannot be
// replaced, and reading it may never end. A file that does not exist passes.
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
		return fmt.Errorf("%s is no regular file, so that it cannot be replaced; name one", file)
	}
	return nil
}

// replaceFile gives a file another text in one step: it has the one or the other,
// whatever happens. Its mode stays; a new file gets the usual one. A link stays, and
// the file that it leads to is replaced; one that leads to no file is refused.
func replaceFile(file string, text []byte) (err error) {
	mode := fs.FileMode(0o644)
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	} else if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is a link that leads to no file; create that file, or name another", file)
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
		var cause *fs.PathError // which names a file that the user has never heard of
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
