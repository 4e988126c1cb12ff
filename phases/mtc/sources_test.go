package mtc_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

func TestSourcesOfRecordedObjects(t *testing.T) {
	r, wants := readRecorded(t), readWants(t)
	require.Len(t, r.migrations, len(wants))
	for _, m := range r.migrations {
		t.Run(m.Metadata.Name, func(t *testing.T) {
			want := wants[m.Metadata.Name]
			assert.Equal(t, want.Itinerary, mtc.Select(m))

			answer := ask(t, r.objects(m))
			require.NoError(t, answer.Err())
			assert.Equal(t, mtc.Vocabulary().All(), answer.Facts.Known())
			assert.Equal(t, phases.TruthOf(m.Spec.Rollback), answer.Facts.Of(mtc.RollingBack))
			if diff := cmp.Diff(want.Flags, mtc.Vocabulary().Names(answer.Facts.True()&^mtc.RollingBack)); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
			assert.Empty(t, mtc.Vocabulary().Broken(answer.Facts))

			// With these flags the guards admit exactly the recorded phases.
			it, err := mtc.Itinerary(want.Itinerary)
			require.NoError(t, err)
			var run []string
			for _, p := range it.Phases {
				if p.Guard.Eval(answer.Facts) == phases.True {
					run = append(run, p.Name)
				}
			}
			if diff := cmp.Diff(want.Phases, run); diff != "" {
				t.Errorf("phases (-want +got):\n%s", diff)
			}
		})
	}
}

// counter is a lister that counts its calls.
type counter struct {
	calls      atomic.Int32
	namespaces []string // of the last call
	has        bool
	err        error
}

func (c *counter) HasImageStreams(_ context.Context, namespaces []string) (bool, error) {
	c.calls.Add(1)
	c.namespaces = slices.Clone(namespaces)
	return c.has, c.err
}

// scene is the fixture of the table tests: a migration of one empty namespace
// between two clusters.
type scene struct {
	m        mtc.Migration
	p        mtc.Plan
	src, dst mtc.Cluster
	lister   counter

	controller *mtc.Controller
	setting    bool
}

func newScene() *scene {
	return &scene{
		m: mtc.Migration{Metadata: mtc.Ref{Name: "m", Namespace: "n"}, Spec: mtc.MigrationSpec{PlanRef: mtc.Ref{Name: "p", Namespace: "n"}}},
		p: mtc.Plan{Metadata: mtc.Ref{Name: "p", Namespace: "n"}, Spec: mtc.PlanSpec{
			SourceRef: mtc.Ref{Name: "source", Namespace: "n"}, DestinationRef: mtc.Ref{Name: "host", Namespace: "n"}, Namespaces: []string{"app"},
		}},
		src: mtc.Cluster{Metadata: mtc.Ref{Name: "source", Namespace: "n"}, Spec: mtc.ClusterSpec{URL: "https://api.example.com:6443"}},
		dst: mtc.Cluster{Metadata: mtc.Ref{Name: "host", Namespace: "n"}},
	}
}

func (s *scene) objects() mtc.Objects {
	return mtc.Objects{
		Migration: &s.m, Plan: &s.p, Source: &s.src, Destination: &s.dst, ImageStreams: &s.lister,
		Controller: s.controller, DisableImageCopy: s.setting,
	}
}

func (s *scene) volumes(selections ...mtc.Selection) {
	for _, selection := range selections {
		s.p.Spec.Volumes = append(s.p.Spec.Volumes, mtc.Volume{Selection: selection})
	}
}

func (s *scene) sameCluster() { s.src.Spec.URL = "" }

func (s *scene) planIs(reason, status string) {
	s.p.Status.Conditions = mtc.Conditions{{Type: "MigrationTypeIdentified", Status: status, Reason: reason}}
}

func TestSourcesEvaluateEachFlag(t *testing.T) {
	const yes, no, unknown = phases.True, phases.False, phases.Unknown
	type values = map[phases.Flags]phases.Truth
	none := func(*scene) {}
	for _, tt := range []struct {
		name  string
		given func(*scene)
		want  values
	}{
		{"nothing at all", none, values{
			mtc.Quiesce: no, mtc.HasStagePods: no, mtc.HasPVs: no, mtc.HasVerify: no, mtc.HasISs: no, mtc.DirectImage: yes,
			mtc.IndirectImage: no, mtc.DirectVolume: no, mtc.IndirectVolume: no, mtc.HasStageBackup: no, mtc.EnableImage: yes,
			mtc.EnableVolume: yes, mtc.HasPreBackupHooks: no, mtc.HasPostBackupHooks: no, mtc.HasPreRestoreHooks: no,
			mtc.HasPostRestoreHooks: no, mtc.StorageConversion: no, mtc.LiveVmMigration: no,
			mtc.RollingBack: no,
		}},

		{"quiescePods", func(s *scene) { s.m.Spec.QuiescePods = true }, values{mtc.Quiesce: yes}},
		{"verify", func(s *scene) { s.m.Spec.Verify = true }, values{mtc.HasVerify: yes}},
		{"rollback", func(s *scene) { s.m.Spec.Rollback = true }, values{mtc.RollingBack: yes, mtc.StorageConversion: no}},
		{"liveMigrate", func(s *scene) { s.p.Spec.LiveMigrate = true }, values{mtc.LiveVmMigration: yes}},

		{"stage pods created", func(s *scene) {
			s.m.Status.Conditions = mtc.Conditions{{Type: "StagePodsCreated", Status: "True"}}
		}, values{mtc.HasStagePods: yes}},
		{"stage pods not created yet", func(s *scene) {
			s.m.Status.Conditions = mtc.Conditions{{Type: "StagePodsCreated", Status: "False"}}
		}, values{mtc.HasStagePods: no}},
		{"a condition of the plan, not of the migration", func(s *scene) {
			s.p.Status.Conditions = mtc.Conditions{{Type: "StagePodsCreated", Status: "True"}}
		}, values{mtc.HasStagePods: no}},

		{"all volumes skipped", func(s *scene) {
			s.volumes(mtc.Selection{Action: "skip"}, mtc.Selection{Action: "skip", CopyMethod: "snapshot"})
		},
			values{mtc.HasPVs: no, mtc.DirectVolume: no, mtc.HasStageBackup: no}},
		{"one volume not skipped", func(s *scene) { s.volumes(mtc.Selection{Action: "skip"}, mtc.Selection{Action: "copy"}) },
			values{mtc.HasPVs: yes, mtc.DirectVolume: no, mtc.HasStageBackup: no}},
		{"a volume without an action", func(s *scene) { s.volumes(mtc.Selection{}) },
			values{mtc.HasPVs: yes, mtc.DirectVolume: no, mtc.HasStageBackup: no}},
		{"a file system copied", func(s *scene) { s.volumes(mtc.Selection{Action: "copy", CopyMethod: "filesystem"}) },
			values{mtc.HasPVs: yes, mtc.DirectVolume: yes, mtc.HasStageBackup: no}},
		{"a block device copied", func(s *scene) { s.volumes(mtc.Selection{Action: "copy", CopyMethod: "block"}) },
			values{mtc.DirectVolume: yes, mtc.HasStageBackup: no}},
		{"a snapshot copied", func(s *scene) { s.volumes(mtc.Selection{Action: "copy", CopyMethod: "snapshot"}) },
			values{mtc.DirectVolume: no, mtc.HasStageBackup: yes}},
		{"a volume moved", func(s *scene) { s.volumes(mtc.Selection{Action: "move"}) },
			values{mtc.HasPVs: yes, mtc.DirectVolume: no, mtc.HasStageBackup: yes}},
		{"a file system moved", func(s *scene) { s.volumes(mtc.Selection{Action: "move", CopyMethod: "filesystem"}) },
			values{mtc.DirectVolume: no, mtc.HasStageBackup: yes}},
		{"one copied and one moved", func(s *scene) {
			s.volumes(mtc.Selection{Action: "copy", CopyMethod: "filesystem"}, mtc.Selection{Action: "move"})
		}, values{mtc.DirectVolume: yes, mtc.HasStageBackup: yes}},
		{"a file system, indirectly", func(s *scene) {
			s.p.Spec.IndirectVolume = true
			s.volumes(mtc.Selection{Action: "copy", CopyMethod: "filesystem"})
		}, values{mtc.IndirectVolume: yes, mtc.DirectVolume: no, mtc.HasStageBackup: yes}},
		{"indirect volumes, but none", func(s *scene) { s.p.Spec.IndirectVolume = true },
			values{mtc.IndirectVolume: yes, mtc.HasPVs: no, mtc.HasStageBackup: no}},

		{"image streams, directly", func(s *scene) { s.lister.has = true },
			values{mtc.HasISs: yes, mtc.DirectImage: yes, mtc.IndirectImage: no, mtc.HasStageBackup: no}},
		{"image streams, indirectly", func(s *scene) { s.lister.has, s.p.Spec.IndirectImage = true, true },
			values{mtc.HasISs: yes, mtc.DirectImage: no, mtc.IndirectImage: yes, mtc.HasStageBackup: yes}},
		{"indirect images, but none", func(s *scene) { s.p.Spec.IndirectImage = true },
			values{mtc.HasISs: no, mtc.HasStageBackup: no}},
		{"no namespaces", func(s *scene) { s.lister.has, s.p.Spec.Namespaces = true, nil }, values{mtc.HasISs: no}},

		{"imagestreams excluded", func(s *scene) { s.p.Status.ExcludedResources = []string{"pods", "imagestreams"} },
			values{mtc.EnableImage: no, mtc.EnableVolume: yes}},
		{"persistentvolumes excluded", func(s *scene) { s.p.Status.ExcludedResources = []string{"persistentvolumes"} },
			values{mtc.EnableImage: yes, mtc.EnableVolume: no}},
		{"only claims excluded", func(s *scene) { s.p.Status.ExcludedResources = []string{"persistentvolumeclaims"} },
			values{mtc.EnableVolume: yes}},
		{"a state migration", func(s *scene) { s.m.Spec.MigrateState = true },
			values{mtc.EnableImage: no, mtc.StorageConversion: no}},
		{"a plan of state migration", func(s *scene) { s.planIs("StateMigrationPlan", "True") }, values{mtc.EnableImage: no}},
		{"a plan of storage conversion", func(s *scene) { s.planIs("StorageConversionPlan", "True") }, values{mtc.EnableImage: no}},
		{"a plan of another type", func(s *scene) { s.planIs("FullMigrationPlan", "True") }, values{mtc.EnableImage: yes}},
		{"a plan of two types", func(s *scene) {
			s.planIs("FullMigrationPlan", "True")
			second := mtc.Condition{Type: "MigrationTypeIdentified", Status: "True", Reason: "StorageConversionPlan"}
			s.p.Status.Conditions = append(s.p.Status.Conditions, second)
		}, values{mtc.EnableImage: no}},
		{"another condition with the reason of a type", func(s *scene) {
			s.p.Status.Conditions = mtc.Conditions{{Type: "Ready", Status: "True", Reason: "StateMigrationPlan"}}
		}, values{mtc.EnableImage: yes}},
		{"images are not copied by any migration", func(s *scene) { s.setting = true }, values{mtc.EnableImage: no, mtc.EnableVolume: yes}},
		{"a controller that copies no images", func(s *scene) { s.controller = &mtc.Controller{Spec: mtc.ControllerSpec{DisableImageCopy: true}} },
			values{mtc.EnableImage: no, mtc.EnableVolume: yes}},
		{"a controller that copies images, whatever the setting", func(s *scene) { s.controller, s.setting = &mtc.Controller{}, true },
			values{mtc.EnableImage: yes}},
		{"a plan whose type condition is false", func(s *scene) { s.planIs("StateMigrationPlan", "False") }, values{mtc.EnableImage: yes}},
		{"images on the same cluster", func(s *scene) { s.sameCluster() }, values{mtc.EnableImage: no, mtc.StorageConversion: no}},

		{"a storage conversion", func(s *scene) { s.sameCluster(); s.m.Spec.MigrateState = true },
			values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"a storage conversion rolled back", func(s *scene) { s.sameCluster(); s.m.Spec.Rollback = true },
			values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"a storage conversion needs no backup", func(s *scene) {
			s.sameCluster()
			s.m.Spec.MigrateState, s.p.Spec.IndirectVolume, s.p.Spec.IndirectImage, s.lister.has = true, true, true, true
			s.volumes(mtc.Selection{Action: "copy", CopyMethod: "snapshot"}, mtc.Selection{Action: "move"})
		}, values{mtc.StorageConversion: yes, mtc.HasStageBackup: no, mtc.HasISs: yes}},
		{"a namespace that maps elsewhere", func(s *scene) {
			s.sameCluster()
			s.m.Spec.MigrateState, s.p.Spec.Namespaces = true, []string{"a", "b:c"}
		}, values{mtc.StorageConversion: no}},
		{"a namespace that maps to itself", func(s *scene) {
			s.sameCluster()
			s.m.Spec.MigrateState, s.p.Spec.Namespaces = true, []string{"a:a", "b"}
		}, values{mtc.StorageConversion: yes}},
		{"a namespace that maps to nothing", func(s *scene) {
			s.sameCluster()
			s.m.Spec.MigrateState, s.p.Spec.Namespaces = true, []string{"a:"}
		}, values{mtc.StorageConversion: no}},

		{"hosts that differ", func(s *scene) { s.m.Spec.Rollback, s.dst.Spec.URL = true, "https://api.example.org:6443" },
			values{mtc.StorageConversion: no, mtc.EnableImage: yes}},
		{"ports that differ", func(s *scene) { s.m.Spec.Rollback, s.dst.Spec.URL = true, "https://api.example.com:6444" },
			values{mtc.StorageConversion: no, mtc.EnableImage: yes}},
		{"a port and none", func(s *scene) { s.m.Spec.Rollback, s.dst.Spec.URL = true, "https://api.example.com" },
			values{mtc.StorageConversion: no, mtc.EnableImage: yes}},
		{"schemes, users and paths that differ", func(s *scene) { s.m.Spec.Rollback, s.dst.Spec.URL = true, "http://me@api.example.com:6443/x?y#z" },
			values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"one reference", func(s *scene) { s.m.Spec.Rollback, s.p.Spec.DestinationRef = true, s.p.Spec.SourceRef },
			values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"one reference to a cluster whose URL cannot be parsed", func(s *scene) {
			s.m.Spec.Rollback, s.p.Spec.DestinationRef, s.src.Spec.URL = true, s.p.Spec.SourceRef, "%zz"
		}, values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"one name in two namespaces", func(s *scene) {
			s.m.Spec.Rollback, s.p.Spec.DestinationRef = true, mtc.Ref{Name: "source", Namespace: "other"}
		}, values{mtc.StorageConversion: no, mtc.EnableImage: yes}},
		{"no references at all", func(s *scene) {
			s.m.Spec.Rollback, s.p.Spec.SourceRef, s.p.Spec.DestinationRef = true, mtc.Ref{}, mtc.Ref{}
		}, values{mtc.StorageConversion: no, mtc.EnableImage: yes}},
		{"a URL without a scheme has no host", func(s *scene) { s.m.Spec.Rollback, s.src.Spec.URL = true, "api.example.com" },
			values{mtc.StorageConversion: yes, mtc.EnableImage: no}},
		{"a host and port without a scheme is no URL", func(s *scene) { s.m.Spec.Rollback, s.src.Spec.URL = true, "10.0.0.1:6443" },
			values{mtc.StorageConversion: unknown, mtc.EnableImage: unknown}},
		{"a URL at the destination that cannot be parsed", func(s *scene) { s.m.Spec.Rollback, s.dst.Spec.URL = true, "https://%zz" },
			values{mtc.StorageConversion: unknown, mtc.EnableImage: unknown}},
		{"a URL that cannot be parsed, if it does not matter", func(s *scene) {
			s.dst.Spec.URL = "%zz"
			s.p.Status.ExcludedResources = []string{"imagestreams"}
		}, values{mtc.StorageConversion: no, mtc.EnableImage: no}},

		{"hooks of every phase", func(s *scene) {
			s.p.Spec.Hooks = []mtc.Hook{{Phase: "PreBackup"}, {Phase: "PostBackup"}, {Phase: "PreRestore"}, {Phase: "PostRestore"}}
		}, values{mtc.HasPreBackupHooks: yes, mtc.HasPostBackupHooks: yes, mtc.HasPreRestoreHooks: yes, mtc.HasPostRestoreHooks: yes}},
		{"one hook", func(s *scene) { s.p.Spec.Hooks = []mtc.Hook{{Phase: "PostRestore"}, {Phase: "PostRestore"}} },
			values{mtc.HasPreBackupHooks: no, mtc.HasPostBackupHooks: no, mtc.HasPreRestoreHooks: no, mtc.HasPostRestoreHooks: yes}},
		{"hooks of no known phase", func(s *scene) { s.p.Spec.Hooks = []mtc.Hook{{}, {Phase: "prebackup"}} },
			values{mtc.HasPreBackupHooks: no}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			answer := ask(t, s.objects())
			for flag, want := range tt.want {
				assert.Equal(t, want, answer.Facts.Of(flag), "%v", mtc.Vocabulary().Names(flag))
			}
			assert.Equal(t, mtc.Vocabulary().All()&^answer.Facts.Known() == 0, answer.Err() == nil)
		})
	}
}

func TestImageStreamsAreSearchedInTheSourceNamespaces(t *testing.T) {
	s := newScene()
	s.p.Spec.Namespaces = []string{"b:c", "a", "b:d", "a:a"}
	ask(t, s.objects())
	assert.Equal(t, []string{"b", "a"}, s.lister.namespaces)

}

func TestReadImageStreams(t *testing.T) {
	cut, broken := errors.New("the file ended early"), errors.New("no YAML")
	in := func(namespaces ...string) map[string]bool {
		read := map[string]bool{}
		for _, n := range namespaces {
			read[n] = true
		}
		return read
	}
	for _, tt := range []struct {
		name    string
		streams mtc.ReadImageStreams
		want    phases.Truth
		missing *mtc.MissingError
		text    string
	}{
		{name: "one in a namespace of the plan", streams: mtc.ReadImageStreams{Namespaces: in("c", "b")}, want: phases.True},
		{name: "one elsewhere", streams: mtc.ReadImageStreams{Namespaces: in("c")}, want: phases.False},
		{name: "none at all", want: phases.Unknown, missing: &mtc.MissingError{Kind: "ImageStream"},
			text: "flag HasISs is unknown: no ImageStream was read, but there may be some; read those of the source cluster"},
		{name: "none, and that is all there are", streams: mtc.ReadImageStreams{Complete: true}, want: phases.False},
		{name: "one elsewhere, before the input ended early", streams: mtc.ReadImageStreams{Namespaces: in("c"), Unread: map[string]error{"": cut}},
			want: phases.Unknown, missing: &mtc.MissingError{Kind: "ImageStream", Err: cut},
			text: "flag HasISs is unknown: the ImageStream could not be read: the file ended early"},
		{name: "one here, before the input ended early", streams: mtc.ReadImageStreams{Namespaces: in("a"), Unread: map[string]error{"": cut}}, want: phases.True},
		{name: "a broken one here", streams: mtc.ReadImageStreams{Namespaces: in("c"), Unread: map[string]error{"b": broken}},
			want: phases.Unknown, missing: &mtc.MissingError{Kind: "ImageStream", Object: mtc.Ref{Namespace: "b"}, Err: broken},
			text: "flag HasISs is unknown: the ImageStream of namespace b could not be read: no YAML"},
		{name: "a broken one elsewhere", streams: mtc.ReadImageStreams{Namespaces: in("d"), Unread: map[string]error{"c": broken}}, want: phases.False},
		{name: "a broken one elsewhere, and none read", streams: mtc.ReadImageStreams{Unread: map[string]error{"c": broken}},
			want: phases.Unknown, missing: &mtc.MissingError{Kind: "ImageStream"},
			text: "flag HasISs is unknown: no ImageStream was read, but there may be some; read those of the source cluster"},
		{name: "a broken one here, of all there are", streams: mtc.ReadImageStreams{Unread: map[string]error{"a": broken}, Complete: true},
			want: phases.Unknown, missing: &mtc.MissingError{Kind: "ImageStream", Object: mtc.Ref{Namespace: "a"}, Err: broken},
			text: "flag HasISs is unknown: the ImageStream of namespace a could not be read: no YAML"},
		{name: "a broken one elsewhere, of all there are", streams: mtc.ReadImageStreams{Unread: map[string]error{"c": broken}, Complete: true}, want: phases.False},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.p.Spec.Namespaces = []string{"b:c", "a"}
			o := s.objects()
			o.ImageStreams = tt.streams
			answer := ask(t, o)
			assert.Equal(t, tt.want, answer.Facts.Of(mtc.HasISs))
			if tt.missing == nil {
				require.NoError(t, answer.Err())
				return
			}
			assert.Equal(t, []string{"HasISs"}, unknowns(answer))
			var missing *mtc.MissingError
			require.ErrorAs(t, answer.Err(), &missing)
			assert.Equal(t, tt.missing, missing)
			if tt.missing.Err != nil {
				assert.ErrorIs(t, answer.Err(), tt.missing.Err)
			}
			assert.EqualError(t, answer.Errors[0], tt.text)
		})
	}
}

// unknowns returns the names of the unknown flags.
func unknowns(a phases.Evaluation) []string {
	return mtc.Vocabulary().Names(mtc.Vocabulary().All() &^ a.Facts.Known())
}

func TestSourcesWithFailingLister(t *testing.T) {
	s := newScene()
	s.p.Spec.IndirectImage = true
	s.lister.err = errors.New("connection refused")
	answer := ask(t, s.objects())

	assert.Equal(t, []string{"HasISs", "HasStageBackup"}, unknowns(answer))
	require.Len(t, answer.Errors, 2)
	assert.EqualError(t, answer.Errors[0], "flag HasISs is unknown: connection refused")
	assert.ErrorIs(t, answer.Errors[0], s.lister.err)
	var input *phases.UnknownInputError
	require.ErrorAs(t, answer.Errors[1], &input)
	assert.Equal(t, []string{"HasISs"}, input.Inputs)
	assert.EqualValues(t, 1, s.lister.calls.Load())
}

func TestSourcesSettleTheBackupWithFailingLister(t *testing.T) {
	for name, given := range map[string]func(*scene){
		"direct images":      func(s *scene) { s.p.Spec.IndirectImage = false },
		"a moved volume":     func(s *scene) { s.volumes(mtc.Selection{Action: "move"}) },
		"indirect volumes":   func(s *scene) { s.p.Spec.IndirectVolume = true; s.volumes(mtc.Selection{Action: "copy"}) },
		"storage conversion": func(s *scene) { s.sameCluster(); s.m.Spec.MigrateState = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.p.Spec.IndirectImage = true
			s.lister.err = errors.New("connection refused")
			given(s)
			assert.Equal(t, []string{"HasISs"}, unknowns(ask(t, s.objects())))
		})
	}
}

func TestMissingErrorNamesTheMissingObject(t *testing.T) {
	for _, tt := range []struct {
		name    string
		given   func(*mtc.Objects)
		unknown []string
		first   string
	}{
		{"the migration", func(o *mtc.Objects) { o.Migration = nil },
			[]string{"Quiesce", "HasStagePods", "HasVerify", "EnableImage", "RollingBack"},
			"flag Quiesce is unknown: the MigMigration is missing; read it together with the migration"},
		{"the plan", func(o *mtc.Objects) { o.Plan = nil },
			[]string{"HasPVs", "HasISs", "DirectImage", "IndirectImage", "DirectVolume", "IndirectVolume", "HasStageBackup", "EnableImage", "EnableVolume",
				"HasPreBackupHooks", "HasPostBackupHooks", "HasPreRestoreHooks", "HasPostRestoreHooks", "LiveVmMigration"},
			"flag HasPVs is unknown: the MigPlan n/p is missing; read it together with the migration"},
		{"the source cluster", func(o *mtc.Objects) { o.Source = nil }, []string{"EnableImage"},
			"flag EnableImage is unknown: the source MigCluster n/source is missing; read it together with the migration"},
		{"the destination cluster", func(o *mtc.Objects) { o.Destination = nil }, []string{"EnableImage"},
			"flag EnableImage is unknown: the destination MigCluster n/host is missing; read it together with the migration"},
		{"the lister", func(o *mtc.Objects) { o.ImageStreams = nil }, []string{"HasISs"},
			"flag HasISs is unknown: the ImageStream could not be read: Objects.ImageStreams is nil; set it"},
		{"the plan and the clusters that it names", func(o *mtc.Objects) { o.Plan, o.Source, o.Destination = nil, nil, nil },
			[]string{"HasPVs", "HasISs", "DirectImage", "IndirectImage", "DirectVolume", "IndirectVolume", "HasStageBackup", "EnableImage", "EnableVolume",
				"HasPreBackupHooks", "HasPostBackupHooks", "HasPreRestoreHooks", "HasPostRestoreHooks", "LiveVmMigration"},
			"flag HasPVs is unknown: the MigPlan n/p is missing; read it together with the migration"},
		{"both clusters, which are one by name", func(o *mtc.Objects) {
			o.Source, o.Destination, o.Plan.Spec.DestinationRef = nil, nil, o.Plan.Spec.SourceRef
		}, []string{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newScene().objects()
			tt.given(&o)
			answer := ask(t, o)
			assert.Equal(t, tt.unknown, unknowns(answer))
			require.Len(t, answer.Errors, len(tt.unknown))
			if len(tt.unknown) == 0 {
				return
			}
			assert.EqualError(t, answer.Errors[0], tt.first)
			for _, err := range answer.Errors {
				var missing *mtc.MissingError
				var input *phases.UnknownInputError
				assert.True(t, errors.As(err, &missing) || errors.As(err, &input), "%v", err)
			}
		})
	}

	t.Run("everything", func(t *testing.T) {
		answer := ask(t, mtc.Objects{})
		assert.Equal(t, mtc.Vocabulary().Names(mtc.Vocabulary().All()), unknowns(answer))
	})
}

func TestMissingErrorWrapsTheReason(t *testing.T) {
	broken := errors.New("spec is a list")
	for _, tt := range []struct {
		name  string
		given func(*mtc.Objects)
		asked mtc.MissingError
		text  string
	}{
		{"the migration", func(o *mtc.Objects) { o.Migration = nil }, mtc.MissingError{Kind: "MigMigration"},
			"the MigMigration could not be read: spec is a list"},
		{"the plan", func(o *mtc.Objects) { o.Plan = nil }, mtc.MissingError{Kind: "MigPlan", Object: mtc.Ref{Name: "p", Namespace: "n"}},
			"the MigPlan n/p could not be read: spec is a list"},
		{"the source cluster", func(o *mtc.Objects) { o.Source = nil },
			mtc.MissingError{Kind: "MigCluster", Role: "source", Object: mtc.Ref{Name: "source", Namespace: "n"}},
			"the source MigCluster n/source could not be read: spec is a list"},
		{"the destination cluster", func(o *mtc.Objects) { o.Destination = nil },
			mtc.MissingError{Kind: "MigCluster", Role: "destination", Object: mtc.Ref{Name: "host", Namespace: "n"}},
			"the destination MigCluster n/host could not be read: spec is a list"},
		{"the controller", func(*mtc.Objects) {}, mtc.MissingError{Kind: "MigrationController", Object: mtc.Ref{Namespace: "n"}},
			"the MigrationController of namespace n could not be read: spec is a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.m.Metadata.Namespace = "n"
			o := s.objects()
			tt.given(&o)
			simply := unknowns(ask(t, o))
			o.Unread = func(kind string, ref mtc.Ref) error {
				if kind == tt.asked.Kind && ref == tt.asked.Object {
					return broken
				}
				return nil
			}
			answer := ask(t, o)
			var missing *mtc.MissingError
			require.ErrorAs(t, answer.Err(), &missing)
			tt.asked.Err = broken
			assert.Equal(t, &tt.asked, missing)
			assert.EqualError(t, missing, tt.text)
			assert.ErrorIs(t, missing, broken)
			if tt.asked.Kind == mtc.KindController {
				assert.Empty(t, simply, "without a controller the setting applies")
				simply = []string{"EnableImage"}
			}
			assert.Equal(t, simply, unknowns(answer))
		})
	}
}

// An object that was not read does not count as absent: a flag that is known without
// the object has the same value with it.
func TestSourcesAgreeWithAndWithoutAnObject(t *testing.T) {
	selections := []mtc.Selection{{}, {Action: "skip"}, {Action: "move"}, {Action: "copy", CopyMethod: "filesystem"}}
	missing := map[string]func(*mtc.Objects){
		"migration": func(o *mtc.Objects) { o.Migration = nil },
		"plan":      func(o *mtc.Objects) { o.Plan = nil },
		"source":    func(o *mtc.Objects) { o.Source = nil },
		"both":      func(o *mtc.Objects) { o.Source, o.Destination = nil, nil },
		"streams":   func(o *mtc.Objects) { o.ImageStreams = mtc.ReadImageStreams{} },
	}
	compared := 0
	for bits := 0; bits < 1<<10; bits += testscale.Of(1, 5) { // odd: each bit takes both values
		on := func(i int) bool { return bits>>i&1 == 1 }
		for _, selection := range selections {
			s := newScene()
			s.m.Spec = mtc.MigrationSpec{PlanRef: s.m.Spec.PlanRef, MigrateState: on(0), Rollback: on(1), QuiescePods: on(2)}
			s.p.Spec.IndirectImage, s.p.Spec.IndirectVolume = on(3), on(4)
			s.lister.has = on(5)
			s.volumes(selection)
			if on(6) {
				s.sameCluster()
			}
			if on(7) {
				s.p.Spec.DestinationRef, s.dst = s.p.Spec.SourceRef, s.src
			}
			if on(8) {
				s.p.Status.ExcludedResources = []string{"imagestreams"}
			}
			s.setting = on(9)
			whole := ask(t, s.objects()).Facts
			require.Equal(t, mtc.Vocabulary().All(), whole.Known())
			for name, without := range missing {
				o := s.objects()
				without(&o)
				part := ask(t, o).Facts
				if diff := part.True()&^whole.True() | part.False()&^whole.False(); diff != 0 {
					t.Fatalf("%#b %v without the %s: %v", bits, selection, name, mtc.Vocabulary().Names(diff))
				}
				compared += part.Known().Len()
			}
		}
	}
	require.NotZero(t, compared)
}

func TestMissingClusterMattersOnlyIfNothingElseSettlesTheFlag(t *testing.T) {
	for _, tt := range []struct {
		name    string
		given   func(*scene)
		unknown []string
	}{
		{"a final migration", func(*scene) {}, []string{"EnableImage"}},
		{"a state migration", func(s *scene) { s.m.Spec.MigrateState = true }, []string{"StorageConversion"}},
		{"a rollback", func(s *scene) { s.m.Spec.Rollback = true }, []string{"EnableImage", "StorageConversion"}},
		{"a rollback that may need a backup", func(s *scene) { s.m.Spec.Rollback = true; s.volumes(mtc.Selection{Action: "move"}) },
			[]string{"HasStageBackup", "EnableImage", "StorageConversion"}},
		{"a rollback to another namespace", func(s *scene) { s.m.Spec.Rollback, s.p.Spec.Namespaces = true, []string{"a:b"} }, []string{"EnableImage"}},
		{"no images", func(s *scene) { s.p.Status.ExcludedResources = []string{"imagestreams"} }, []string{}},
		{"a plan of state migration", func(s *scene) { s.planIs("StateMigrationPlan", "True") }, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			o := s.objects()
			o.Source = nil
			assert.Equal(t, tt.unknown, unknowns(ask(t, o)))
		})
	}
}

func TestClusterURLError(t *testing.T) {
	s := newScene()
	s.src.Spec.URL = "%zz"
	answer := ask(t, s.objects())
	var bad *mtc.ClusterURLError
	require.ErrorAs(t, answer.Err(), &bad)
	assert.Equal(t, mtc.Ref{Name: "source", Namespace: "n"}, bad.Cluster)
	assert.Equal(t, "%zz", bad.URL)
	var cause *url.Error
	require.ErrorAs(t, bad, &cause)
	assert.EqualError(t, bad, `spec.url of MigCluster n/source is not a URL: parse "%zz": invalid URL escape "%zz"; correct it`)
}

// matters stands in for a plan: it returns the unknown flags of the guards that are
// not settled.
func matters(guards ...phases.Guard) func(phases.Facts) phases.Flags {
	return func(f phases.Facts) (open phases.Flags) {
		for _, g := range guards {
			if g.Eval(f) == phases.Unknown {
				open |= g.Reads() &^ f.Known()
			}
		}
		return open
	}
}

func guardsOf(t *testing.T, name string) (guards []phases.Guard, reads phases.Flags) {
	t.Helper()
	it, err := mtc.Itinerary(name)
	require.NoError(t, err)
	for _, p := range it.Phases {
		guards = append(guards, p.Guard)
	}
	return guards, it.Reads()
}

func TestListerIsCalledOnlyIfItsAnswerMatters(t *testing.T) {
	registries := []phases.Guard{{All: mtc.HasISs | mtc.IndirectImage | mtc.EnableImage}}
	final, finalReads := guardsOf(t, mtc.Final)
	failed, failedReads := guardsOf(t, mtc.Failed)
	for _, tt := range []struct {
		name   string
		given  func(*scene)
		guards []phases.Guard
		reads  phases.Flags
		calls  int32
	}{
		{"registries for indirect images", func(s *scene) { s.p.Spec.IndirectImage = true }, registries, registries[0].Reads(), 1},
		{"no registries for direct images", func(*scene) {}, registries, registries[0].Reads(), 0},
		{"no registries without images", func(s *scene) {
			s.p.Spec.IndirectImage, s.p.Status.ExcludedResources = true, []string{"imagestreams"}
		}, registries, registries[0].Reads(), 0},
		{"Final with direct images", func(*scene) {}, final, finalReads, 0},
		{"Final with indirect images", func(s *scene) { s.p.Spec.IndirectImage = true }, final, finalReads, 1},
		{"Final if a volume needs a backup anyway, without images", func(s *scene) {
			s.p.Spec.IndirectImage, s.p.Status.ExcludedResources = true, []string{"imagestreams"}
			s.volumes(mtc.Selection{Action: "move"})
		}, final, finalReads, 0},
		{"Final if only the backup depends on it", func(s *scene) {
			s.p.Spec.IndirectImage, s.p.Status.ExcludedResources = true, []string{"imagestreams"}
		}, final, finalReads, 1},
		{"Failed with direct images", func(*scene) {}, failed, failedReads, 0},
		{"Failed with indirect images", func(s *scene) { s.p.Spec.IndirectImage = true }, failed, failedReads, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			answer := sources(t, s.objects()).Evaluate(t.Context(), phases.Request{Read: tt.reads, Matters: matters(tt.guards...)})
			require.NoError(t, answer.Err())
			assert.Equal(t, tt.calls, s.lister.calls.Load())
			assert.Zero(t, matters(tt.guards...)(answer.Facts), "a guard is not settled")
		})
	}
}

func TestListerIsCalledOnceForAllFlags(t *testing.T) {
	s := newScene()
	s.p.Spec.IndirectImage = true
	answer := ask(t, s.objects())
	require.NoError(t, answer.Err())
	assert.Equal(t, mtc.Vocabulary().All(), answer.Evaluated)
	assert.EqualValues(t, 1, s.lister.calls.Load())

	// Known flags are not evaluated again.
	again := sources(t, s.objects()).Evaluate(t.Context(), phases.Request{Read: mtc.Vocabulary().All(), Known: answer.Facts})
	assert.Zero(t, again.Evaluated)
	assert.Equal(t, answer.Facts, again.Facts)
	assert.EqualValues(t, 1, s.lister.calls.Load())
}

// Flags are computed from the known flags, even if the objects have changed since: a
// running migration does not drift.
func TestComputedFlagsFollowWhatIsKnown(t *testing.T) {
	s := newScene()
	s.volumes(mtc.Selection{Action: "copy", CopyMethod: "filesystem"})
	known := phases.NewFacts(mtc.IndirectVolume|mtc.HasPVs, mtc.StorageConversion)
	answer := sources(t, s.objects()).Evaluate(t.Context(), phases.Request{Read: mtc.DirectVolume | mtc.HasStageBackup, Known: known})
	require.NoError(t, answer.Err())
	assert.Equal(t, phases.False, answer.Facts.Of(mtc.DirectVolume))
	assert.Equal(t, phases.True, answer.Facts.Of(mtc.HasStageBackup))
}

func TestSourcesWithCanceledContext(t *testing.T) {
	s := newScene()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer := sources(t, s.objects()).Evaluate(ctx, phases.Request{Read: mtc.Vocabulary().All()})
	assert.Zero(t, answer.Facts.Known())
	assert.ErrorIs(t, answer.Err(), context.Canceled)
	assert.Zero(t, s.lister.calls.Load())
}

// In every combination of inputs, with or without each object, the known flags
// satisfy the relations. Only HasStagePods may break its own, since it is a condition
// that the controller recorded earlier.
func TestSourcesSatisfyTheRelations(t *testing.T) {
	selections := []mtc.Selection{
		{}, {Action: "skip"}, {Action: "move"},
		{Action: "copy", CopyMethod: "filesystem"}, {Action: "copy", CopyMethod: "snapshot"},
	}
	down := mtc.ImageStreamsFunc(func(context.Context, []string) (bool, error) { return false, errors.New("down") })
	for bits := range 1 << 10 {
		on := func(i int) bool { return bits>>i&1 == 1 }
		for _, selection := range selections {
			s := newScene()
			s.m.Spec.MigrateState, s.m.Spec.Rollback = on(0), on(1)
			s.p.Spec.IndirectImage, s.p.Spec.IndirectVolume = on(2), on(3)
			s.lister.has = on(4)
			s.volumes(selection)
			if on(5) {
				s.sameCluster()
			}
			o := s.objects()
			if on(6) {
				o.Source = nil
			}
			if on(7) {
				o.ImageStreams = down
			}
			if on(8) {
				s.p.Spec.DestinationRef = s.p.Spec.SourceRef
			}
			o.DisableImageCopy = on(9)
			facts := ask(t, o).Facts
			if broken := mtc.Vocabulary().Broken(facts); len(broken) > 0 {
				names, clause := mtc.Vocabulary().Names(facts.True()), mtc.Vocabulary().Literals(broken[0])
				t.Fatalf("%#b %v: %v breaks %v", bits, selection, names, clause)
			}
		}
	}
}
