package machinetest

// TB is the part of testing.TB that this package uses, so that it can be imported without importing
// testing. A *testing.T is a TB.
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
