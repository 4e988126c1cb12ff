package dump

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// page is a page of the browser with an empty <main>.
type page struct{ *browser.Page }

// openPage opens a page, loads the given script files into it, and closes it at the end
// of the test.
func openPage(t *testing.T, scripts ...string) page {
	t.Helper()
	return page{browser.OpenMain(t, scripts...)}
}
