package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/lives"
)

// atServer is the site of a life whose object is at the API server, reconciled
// by the controller.
type atServer[T example.Migration] struct {
	life   *lives.Life
	kind   example.Kind[T]
	key    client.ObjectKey
	client client.WithWatch

	reconciler *controller.Reconciler[T]
	loss       lives.Loss
	lost, kept bool // writes of this reconcile
}

func newAtServer[T example.Migration](ctx context.Context, g *fixture, kind example.Kind[T], l *lives.Life) (*atServer[T], error) {
	key := client.ObjectKey{Namespace: g.namespace, Name: fmt.Sprintf("life-%d", l.Seed)}
	s := &atServer[T]{life: l, kind: kind, client: g.client, key: key}
	o := kind.New()
	o.SetNamespace(s.key.Namespace)
	o.SetName(s.key.Name)
	if err := s.client.Create(ctx, o); err != nil {
		return nil, err
	}
	return s, s.Restart()
}

func requests[T example.Migration](o T) lives.Requests {
	m := o.MTC()
	return lives.Requests{
		Canceled: m.Spec.Canceled, RolledBack: m.Spec.Rollback, Paused: o.GetAnnotations()[example.PausedAnnotation] == "true",
		Failed: len(m.Status.Errors) > 0,
	}
}

// Restart implements [lives.Site].
func (s *atServer[T]) Restart() (err error) {
	access := interceptor.NewClient(s.client, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			return s.write(func() error { return c.Patch(ctx, o, p, options...) })
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, name string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption,
		) error {
			return s.write(func() error { return c.SubResource(name).Patch(ctx, o, p, options...) })
		},
	})
	s.reconciler, err = controller.New(controller.Options[T]{
		Client: access, New: s.kind.New, StatusSubresource: s.kind.StatusSubresource, Conditions: s.kind.Conditions, Merge: s.kind.Merge,
		Runner: lives.Options(s.life, lives.Access[T]{
			Read:     func(o T) (runner.State, error) { return o.State() },
			Write:    func(o T, state runner.State) error { return o.SetState(state) },
			Requests: requests[T],
			Fail:     func(o T, reasons []string) { o.AddErrors(append(reasons, "failed")...) },
		}),
	})
	return err
}

// write does a write, or loses it if that is due.
func (s *atServer[T]) write(do func() error) error {
	if s.loss == lives.Before {
		s.lost = true
		return lives.ErrLost
	}
	if err := do(); err != nil {
		return err
	}
	s.kept = true
	if s.loss == lives.After {
		return lives.ErrLost
	}
	return nil
}

// Lose implements [lives.Site].
func (s *atServer[T]) Lose(l lives.Loss) { s.loss = l }

// Reconcile implements [lives.Site].
func (s *atServer[T]) Reconcile(ctx context.Context) (lives.Reconciled, error) {
	s.loss, s.lost, s.kept = lives.Nothing, false, false
	result, err := s.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: s.key})
	out := lives.Reconciled{Requeue: result.RequeueAfter > 0, RequeueAfter: result.RequeueAfter, Lost: s.lost && !s.kept}
	switch {
	case err == nil || errors.Is(err, reconcile.TerminalError(nil)):
	case errors.Is(err, lives.ErrLost):
		out.Requeue, out.RequeueAfter = true, lives.Limited
	default:
		return out, err
	}
	return out, nil
}

func (s *atServer[T]) get(ctx context.Context) (T, error) {
	o := s.kind.New()
	return o, s.client.Get(ctx, s.key, o)
}

// State implements [lives.Site].
func (s *atServer[T]) State(ctx context.Context) (runner.State, error) {
	o, err := s.get(ctx)
	if err != nil {
		return runner.State{}, err
	}
	return o.State()
}

// Edit implements [lives.Site].
func (s *atServer[T]) Edit(ctx context.Context, change func(*lives.Requests)) error {
	o, err := s.get(ctx)
	if err != nil {
		return err
	}
	w := requests(o)
	change(&w)
	orNil := func(is bool) any {
		if is {
			return true
		}
		return nil // remove the field
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{example.PausedAnnotation: strconv.FormatBool(w.Paused)}},
		"spec":     map[string]any{"canceled": orNil(w.Canceled), "rollback": orNil(w.RolledBack)},
	})
	if err != nil {
		return err
	}
	return s.client.Patch(ctx, o, client.RawPatch(client.Merge.Type(), patch))
}

// number returns the value of an environment variable, or otherwise if it is
// not set.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// sideBySide is the number of lives that are played concurrently.
const sideBySide = 8

// TestRandomLives plays random lives with failures, cancels, pauses, outages
// of sources, clock steps and kills, and checks them by the oracle. LIVES is
// their number, and LIVES_SEED the first seed. LIVES_SEED alone repeats one
// life.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	first := number(t, "LIVES_SEED", rand.Uint64()>>16)
	many := uint64(50)
	if _, ok := os.LookupEnv("LIVES_SEED"); ok {
		many = 1
	}
	many = number(t, "LIVES", many)
	t.Logf("LIVES_SEED=%d LIVES=%d", first, many)

	g := newFixture(t, common, withSubresource)
	play := func(seed uint64) (lives.Counts, error) {
		l, err := lives.New(seed)
		if err != nil {
			return nil, err
		}
		var site lives.Site
		if seed%2 == 0 {
			site, err = newAtServer(g.ctx, g, example.Variant, l)
		} else {
			site, err = newAtServer(g.ctx, g, example.MTC, l)
		}
		if err != nil {
			return nil, err
		}
		return l.Counts, l.Play(g.ctx, site)
	}
	begin := time.Now()
	var (
		mu    sync.Mutex
		all   = lives.Counts{}
		wait  sync.WaitGroup
		seeds = make(chan uint64)
	)
	for range sideBySide {
		wait.Go(func() {
			for seed := range seeds {
				counts, err := play(seed)
				mu.Lock()
				if err != nil {
					t.Errorf("%v\nrepeat it with LIVES_SEED=%d", err, seed)
				} else {
					all.Add(counts)
				}
				mu.Unlock()
			}
		})
	}
	for i := range many {
		seeds <- first + i
	}
	close(seeds)
	wait.Wait()
	t.Logf("%s: %s", time.Since(begin).Round(time.Second), all)
}
