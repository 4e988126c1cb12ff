// Package dump tests the output of machine/dump with the programs that read it:
// Graphviz, mermaid, a browser and a JSON Schema validator. It is a separate module, so
// the root module needs none of them.
//
// Package pages tests the pages of machine/debug in a browser. Package sarif checks the
// reports of machine/verify against the published schema.
//
// The script install installs the programs. A test whose program is missing fails.
package dump
