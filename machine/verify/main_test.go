package verify_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the files that the tests compare with")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
