package cli

import (
	"encoding/json"
	"fmt"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
	"github.com/konveyor/dynamic-pipeline/legacy"
	"github.com/konveyor/dynamic-pipeline/machine/command"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// recorded returns what the status of a migration records, in its current form.
func (m *migration) recorded(adapter *legacy.Adapter) command.Recorded {
	r := command.Recorded{Itinerary: m.Status.Itinerary, Phase: m.Status.Phase, Done: mtc.Done(m.Migration), Reasons: m.Status.Errors}
	present, err := m.upgraded(adapter)
	if r.Err, r.StateErr = err, err; err != nil || rawjson.IsNull(present) {
		return r
	}
	var status struct {
		Phase    string `json:"phase"`
		Pipeline []struct {
			Name      string `json:"name"`
			Started   string `json:"started"` // of any form
			Completed string `json:"completed"`
			Failed    bool   `json:"failed"`
		} `json:"pipeline"`
	}
	if r.Err = json.Unmarshal(present, &status); r.Err == nil {
		r.Was, r.Phase = r.Phase, status.Phase
		for _, s := range status.Pipeline {
			if s.Started != "" || s.Completed != "" || s.Failed {
				r.Started = append(r.Started, s.Name)
			}
		}
	}
	r.State, r.StateErr = m.state(present)
	return r
}

// upgraded returns the status of the migration in its current form; null or nothing if
// there is none.
func (m *migration) upgraded(adapter *legacy.Adapter) (json.RawMessage, error) {
	up, err := adapter.Upgrade(rawjson.ParseObject(m.object.JSON).Get("status"), nil)
	return up.Status, err
}

// state returns the state that a runner would have written for a migration that is on the
// itinerary selected by mig-controller. Present is the status in its current form.
func (m *migration) state(present json.RawMessage) (runner.State, error) {
	var status struct {
		Phase    string         `json:"phase"`
		Pipeline steps.Pipeline `json:"pipeline"`
	}
	if err := json.Unmarshal(present, &status); err != nil {
		return runner.State{}, fmt.Errorf("status: %w; correct it", err)
	}
	s := runner.State{Pipeline: status.Pipeline}
	s.Itinerary, s.Phase = m.Status.Itinerary, status.Phase
	selected := mtc.Current(m.Migration)
	if mtc.Done(m.Migration) {
		s.Itinerary, s.Done, s.Result = selected, true, m.result()
	} else if s.Itinerary != "" && s.Itinerary != selected {
		// mig-controller wrote the status and leaves any cleanup itinerary; a runner does
		// not.
		if resumed, err := itineraries().Resume(s.Checkpoint, selected); err != nil || resumed.Graph().Name() != selected {
			s.Itinerary, s.Phase = "", ""
		}
	}
	return s, nil
}

// result returns how a migration that is done has ended. As for mig-controller, errors and
// the condition Failed count on any itinerary.
func (m *migration) result() phases.Result {
	if mtc.Select(m.Migration) == mtc.Failed {
		return phases.Failed
	}
	g, err := itineraries().Graph(mtc.Current(m.Migration))
	if err != nil {
		return "" // cannot happen: Current returns one of them
	}
	return g.Result()
}
