// Package itinerarytest generates itineraries for property tests, and facts for them.
//
// It is not for the tests of embedders: package machinetest is.
package itinerarytest
