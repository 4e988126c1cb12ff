// Package contrast measures how well one colour stands out from another, for the
// tests of pictures. It does not simulate colour blindness.
package contrast
