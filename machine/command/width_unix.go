//go:build linux || darwin

package command

import (
	"os"
	"syscall"
	"unsafe"
)

// windowWidth returns the number of columns of a terminal, or zero if it is not known.
func windowWidth(terminal *os.File) int {
	conn, err := terminal.SyscallConn()
	if err != nil {
		return 0
	}
	var size struct{ rows, columns, width, height uint16 }
	// If the file is closed or is not a terminal, the size stays zero.
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	})
	return int(size.columns)
}
