package dump

import (
	"fmt"
	"os"
	"testing"

	"github.com/konveyor/dynamic-pipeline/internal/dumptest"
	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

const root = "../.."

// drawings are the drawings that all tests of this package use.
var drawings []dumptest.Drawing

func TestMain(m *testing.M) {
	var err error
	if drawings, err = dumptest.Drawings(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(browser.RunTests(m))
}
