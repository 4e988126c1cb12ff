package dump

import (
	"testing"

	"github.com/konveyor/dynamic-pipeline/tests/dump/browser"
)

// page is a page of the browser with an empty <main>.
type page struct{ *browser.Page }

// openPage opens a page that is closed at the end of the test. Scripts are
// files that it loads.
func openPage(t *testing.T, scripts ...string) page {
	t.Helper()
	return page{browser.OpenMain(t, scripts...)}
}
