// Package browser runs the browser for the tests of this module.
//
// It does not install the browser, which tests/dump/install does.
package browser
