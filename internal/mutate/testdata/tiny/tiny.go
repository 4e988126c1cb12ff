// Package tiny has mutants whose outcome is known.
package tiny

// Small reports whether n is below ten.
func Small(n int) bool { return n < 10 }

// Far is tested only by package far.
func Far() bool { return true }

// Fixed compiles with only one constant.
func Fixed() [3]int { return [3]int{} }

// Untested is tested by no package.
func Untested() bool { return true }

// Signal closes done, for which a test waits.
func Signal(done chan struct{}) {
	close(done)
}
