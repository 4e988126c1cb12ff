// Package passed explains why a run did not enter phases that are now behind it. A plan from the
// run's position reports only that they are behind.
//
// It is not for phases ahead: the method Why of machine.Plan explains those.
package passed
