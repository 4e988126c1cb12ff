// Package verify checks itineraries before they run: it finds what is wrong in a
// definition over every assignment of its flags, and what a new release does to
// runs that are in flight.
package verify
