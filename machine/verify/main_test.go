package verify_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/konveyor/dynamic-pipeline/machine/verify"
)

var update = verify.Update

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
