package controller_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// tape records a whole run of an object over an API server in memory, and is a client
// that replays it. It hands out objects that were made before: only the reconciler's
// work is measured.
type tape struct {
	client.Client
	*world
	start time.Time
	// These hold what was read and answered, and the patch between them, by reconcile.
	reads, answers []*Move
	patches        [][]byte
	// These hold copies of them, which are handed out, from at on.
	nextReads, nextAnswers []*Move
	at                     int
}

// record records a final migration with much work, with its state in the status,
// conditions and events: 44 of 50 phases run, each with a write.
func record(tb testing.TB) *tape {
	t := &tape{world: newWorld(tb, subresource)}
	t.final()
	server := t.options.Client.(client.WithWatch)
	t.options.Client = interceptor.NewClient(server, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			t.reads = append(t.reads, o.DeepCopyObject().(*Move))
			return err
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, _ string, o client.Object, p client.Patch,
			opts ...client.SubResourcePatchOption,
		) error {
			data, err := p.Data(o)
			require.NoError(tb, err)
			t.patches = append(t.patches, data)
			err = c.Status().Patch(ctx, o, p, opts...)
			t.answers = append(t.answers, o.DeepCopyObject().(*Move))
			return err
		},
	})
	t.start = t.now
	require.Equal(tb, 44, t.end())
	require.Len(tb, t.reads, 44)
	require.Len(tb, t.answers, 44, "each reconcile writes")

	t.Client = server
	t.options.Client = t
	t.options.Recorder = controller.RecorderFunc(func(runtime.Object, string, string, string) {})
	t.restart()
	t.rewind()
	return t
}

// final makes the runs of a world final migrations.
func (w *world) final() {
	busy := mtc.Quiesce | mtc.HasStagePods | mtc.HasPVs | mtc.HasVerify | mtc.HasISs | mtc.IndirectImage |
		mtc.IndirectVolume | mtc.HasStageBackup | mtc.EnableImage | mtc.EnableVolume | mtc.HasPreBackupHooks |
		mtc.HasPostBackupHooks | mtc.HasPreRestoreHooks | mtc.HasPostRestoreHooks
	var all []phases.Source
	for _, d := range mtc.Vocabulary().Defs() {
		all = append(all, phases.SourceOf(d.Flag, phases.TruthOf(busy.Has(d.Flag))))
	}
	sources, err := phases.NewSources(mtc.Vocabulary(), all...)
	require.NoError(w.t, err)
	o := &w.options.Runner
	o.Itineraries = machine.MustCompileSet(mtc.Itineraries()...)
	o.Select = func(context.Context, *Move) (string, error) { return mtc.Final, nil }
	o.Sources = func(context.Context, *Move) (*phases.Sources, error) { return sources, nil }
	o.Phases, o.PassThrough = nil, true
}

// over reports whether the run has ended.
func (t *tape) over() bool { return t.at == len(t.reads) }

// rewind begins the run again, with an object that the reconciler does not know.
func (t *tape) rewind() {
	t.at = len(t.reads)
	_, err := t.reconcile() // the object is gone
	require.NoError(t.t, err)
	copies := func(of []*Move) []*Move {
		all := make([]*Move, len(of))
		for i, m := range of {
			all[i] = m.DeepCopyObject().(*Move)
		}
		return all
	}
	t.nextReads, t.nextAnswers, t.at, t.now = copies(t.reads), copies(t.answers), 0, t.start
}

// play reconciles once.
func (t *tape) play() {
	if _, err := t.reconcile(); err != nil {
		t.t.Fatal(err)
	}
}

func (t *tape) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if t.over() {
		return apierrors.NewNotFound(schema.GroupResource{}, "")
	}
	*into.(*Move) = *t.nextReads[t.at]
	t.at++
	return nil
}

func (t *tape) Status() client.SubResourceWriter { return player{tape: t} }

type player struct {
	client.SubResourceWriter
	tape *tape
}

// Patch accepts the patches of the tape, and no others.
func (p player) Patch(_ context.Context, into client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	t := p.tape
	data, err := patch.Data(into)
	if err != nil || !bytes.Equal(data, t.patches[t.at-1]) {
		return apierrors.NewBadRequest("this is not the patch of the tape: " + string(data))
	}
	*into.(*Move) = *t.nextAnswers[t.at-1]
	return nil
}

// BenchmarkReconcile measures one reconcile of a final migration with its state in the
// status, conditions, and a write for each phase, without the work of the server.
func BenchmarkReconcile(b *testing.B) {
	t := record(b)
	b.ReportAllocs()
	for b.Loop() {
		if t.over() {
			b.StopTimer()
			t.rewind()
			b.StartTimer()
		}
		t.play()
	}
}
