// Package pages tests the pages of machine/debug in a browser.
package pages
