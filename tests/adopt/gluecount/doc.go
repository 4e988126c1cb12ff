// Package gluecount counts the lines of glue in a controller that adopts the
// library: the code that its author must write to connect the two. Tests in
// tests/adopt limit that number.
//
// It is a tool of these tests. It does not measure anything else about code.
package gluecount
