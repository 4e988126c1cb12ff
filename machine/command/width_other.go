//go:build !linux && !darwin

package command

import "os"

// windowWidth returns zero: the width is not known on this system.
func windowWidth(*os.File) int { return 0 }
