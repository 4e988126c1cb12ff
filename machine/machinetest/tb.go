package machinetest

// TB is the part of testing.TB that this package uses. A program that imports this package does not
// import testing. A *testing.T is a TB.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
}

func fatalf(t TB, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	t.FailNow()
}
