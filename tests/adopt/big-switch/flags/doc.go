// Package flags is the table from the flags of MTC's catalogue to the functions
// of the controller that evaluate them.
//
// It has no guards, which are in the catalogue.
package flags
