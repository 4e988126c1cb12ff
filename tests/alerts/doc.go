// Package alerts tests the alerts of machine/controller with promtool. It is a
// module of its own, so that the tests of others do not need it.
//
// The script install installs promtool; without it the tests fail. Each alert
// has a file of promtool's unit tests in testdata.
package alerts
