// Package pages tests the pages of machine/debug in a browser.
//
// What the pages say is tested in machine/debug, without a browser.
package pages
