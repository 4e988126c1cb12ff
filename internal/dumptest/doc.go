// Package dumptest has the drawings that the tests of all formats of package dump
// share. It compares nothing itself: each format has its own golden files.
package dumptest
