// Package sarif checks the reports of machine/verify against the published schema of
// their format.
//
// What the reports say is tested in machine/verify.
package sarif
