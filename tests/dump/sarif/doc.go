// Package sarif checks the reports of machine/verify against the published schema of
// their format.
package sarif
