// Package contrast measures how well one color stands out from another, for the
// tests of pictures. It does not simulate color blindness.
package contrast
