package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// HasCream is the only flag of the itinerary below.
const HasCream phases.Flags = 1

var kitchenFlags = phases.MustVocabulary([]phases.FlagDef{{Flag: HasCream, Name: "HasCream", Description: "the order is with cream"}})

var kitchen = machine.MustCompileSet(phases.Itinerary{Name: "Serve", Vocabulary: kitchenFlags, Phases: []phases.Phase{
	{Name: "Bake", Step: "Cake", Description: "Baking the cake"},
	{Name: "WhipCream", Step: "Cream", Guard: phases.Guard{All: HasCream}},
	{Name: "Deliver", Step: "Delivery"},
}})

// Order is the object: what the user asks for, and the state of its run. All of it is
// persisted; nothing else is.
type Order struct {
	WithCream bool         `json:"withCream"`
	Baked     int          `json:"baked"` // minutes; belongs to the handler of Bake
	State     runner.State `json:"state"`
}

// bake is a handler. It checks what has been done, does a part of the work, and returns.
func bake(_ context.Context, o *Order) (runner.Result, error) {
	if o.Baked >= 40 {
		return runner.Done(), nil
	}
	o.Baked += 20 // a real handler starts the work, and checks its progress
	return runner.Wait(0, "In the oven", fmt.Sprintf("%d of 40 minutes", o.Baked)), nil
}

func newKitchen() (*runner.Runner[*Order], error) {
	return runner.New(runner.Options[*Order]{
		Itineraries: kitchen,
		Select:      func(context.Context, *Order) (string, error) { return "Serve", nil },
		Sources: func(_ context.Context, o *Order) (*phases.Sources, error) {
			return phases.NewSources(kitchenFlags, phases.SourceOf(HasCream, phases.TruthOf(o.WithCream)))
		},
		Storage:     runner.NewStatusStorage(func(o *Order) *runner.State { return &o.State }),
		Phases:      map[string]runner.Phase[*Order]{"Bake": {Handler: runner.HandlerFunc[*Order](bake)}},
		PassThrough: true, // the other phases have nothing to do
	})
}

// show prints what users see: the steps that will run, and no other.
func show(o *Order) {
	var all []string
	for _, step := range o.State.Pipeline {
		text := step.Name + ": " + step.Message
		for _, line := range step.Progress {
			text += ", " + line
		}
		all = append(all, text)
	}
	fmt.Println(strings.Join(all, " | "))
}

// A run from start to end, without a cluster. Between two reconciles there is nothing but
// the JSON of the object, so each of them can be in another process.
func ExampleRunner_Reconcile() {
	stored := []byte(`{"withCream": false}`)
	for {
		order := new(Order)
		if err := json.Unmarshal(stored, order); err != nil {
			fmt.Println(err)
			return
		}
		r, err := newKitchen()
		if err != nil {
			fmt.Println(err)
			return
		}
		out, err := r.Reconcile(context.Background(), order)
		if err != nil {
			fmt.Println(err) // and write it nevertheless
		}
		show(order)
		if stored, err = json.Marshal(order); err != nil || out.Done {
			fmt.Println(order.State.Result)
			return
		}
	}
	// Output:
	// Cake: Baking the cake | Delivery: Not started
	// Cake: In the oven, 20 of 40 minutes | Delivery: Not started
	// Cake: In the oven, 40 of 40 minutes | Delivery: Not started
	// Cake: Completed, 40 of 40 minutes | Delivery: Deliver
	// Cake: Completed, 40 of 40 minutes | Delivery: Completed
	// Succeeded
}
