package runner_test

import (
	"context"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// Room is one of the rooms of a house, each of which has its own run.
type Room struct {
	State   runner.State
	Painted bool
}

// House is the object that is reconciled.
type House struct{ Rooms map[string]*Room }

// The handlers work on a room, but the controller reconciles a house, of which one room
// is due.
func ExampleAdapt() {
	flags := phases.MustVocabulary(nil)
	ofRooms := runner.Options[*Room]{
		Itineraries: machine.MustCompileSet(phases.Itinerary{Name: "Paint", Vocabulary: flags, Phases: []phases.Phase{
			{Name: "Walls", Step: "Paint"},
		}}),
		Select:  func(context.Context, *Room) (string, error) { return "Paint", nil },
		Sources: func(context.Context, *Room) (*phases.Sources, error) { return phases.NewSources(flags) },
		Storage: runner.NewStatusStorage(func(r *Room) *runner.State { return &r.State }),
		Handler: runner.HandlerFunc[*Room](func(_ context.Context, r *Room) (runner.Result, error) {
			r.Painted = true
			return runner.Done(), nil
		}),
	}
	r, err := runner.New(runner.Adapt(ofRooms, func(h *House) *Room { return h.Rooms["kitchen"] }))
	if err != nil {
		fmt.Println(err)
		return
	}
	house := &House{Rooms: map[string]*Room{"kitchen": {}, "hall": {}}}
	for range 2 { // to begin, and to paint
		if _, err := r.Reconcile(context.Background(), house); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("kitchen:", house.Rooms["kitchen"].Painted, "hall:", house.Rooms["hall"].Painted)
	// Output: kitchen: true hall: false
}
