// Package alerts tests the alerts of machine/controller with promtool. It is a
// separate module, since no other test needs promtool.
//
// The tests fail without promtool; the script install installs it. Each alert has a
// file of promtool's unit tests in testdata.
package alerts
