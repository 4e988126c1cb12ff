package pages

import (
	"flag"
	"os"
	"testing"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

const root = "../../.."

var update = flag.Bool("update", false, "write the screenshots of machine/debug/testdata")

func TestMain(m *testing.M) { os.Exit(browser.RunTests(m)) }
