// Package browser runs the browser for the tests of this module.
package browser
