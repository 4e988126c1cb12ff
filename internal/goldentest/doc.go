// Package goldentest compares test results with golden files. Importing it adds the option
// -update to the tests of a package, which writes these files.
//
// It is for the tests of this module only.
package goldentest
