// Package flags is the table from the flags of MTC's catalogue to the functions
// of the controller that evaluate them.
package flags
