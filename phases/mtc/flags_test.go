package mtc_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// realistic reports whether the relations between MTC's flags hold. It is
// independent of the vocabulary.
func realistic(f phases.Flags) bool {
	is := func(flag phases.Flags) bool { return f.Has(flag) }
	implies := func(a, b bool) bool { return !a || b }
	return is(mtc.DirectImage) != is(mtc.IndirectImage) &&
		implies(is(mtc.DirectVolume), is(mtc.HasPVs) && !is(mtc.IndirectVolume)) &&
		implies(is(mtc.HasStagePods), is(mtc.HasPVs) && is(mtc.IndirectVolume)) &&
		implies(is(mtc.StorageConversion), !is(mtc.HasStageBackup) && !is(mtc.EnableImage)) &&
		implies(is(mtc.HasISs) && is(mtc.IndirectImage) && !is(mtc.StorageConversion), is(mtc.HasStageBackup)) &&
		implies(is(mtc.HasPVs) && is(mtc.IndirectVolume) && !is(mtc.StorageConversion), is(mtc.HasStageBackup)) &&
		implies(is(mtc.HasStageBackup), is(mtc.HasPVs) || is(mtc.HasISs) && is(mtc.IndirectImage))
}

func TestRelationsAreThoseOfTheDesign(t *testing.T) {
	all := mtc.Vocabulary().All()
	require.Equal(t, 19, mtc.Vocabulary().Len())
	count := 0
	for f := phases.Flags(0); f <= all; f++ {
		holds := len(mtc.Vocabulary().Broken(phases.NewFacts(f, all&^f))) == 0
		if holds != realistic(f) {
			t.Fatalf("%v: relations hold: %t, want %t", mtc.Vocabulary().Names(f), holds, !holds)
		}
		if holds {
			count++
		}
	}
	t.Logf("%d of %d assignments are realistic", count, all+1)
}

func TestVocabularyIsTheSameAtEveryCall(t *testing.T) {
	assert.Same(t, mtc.Vocabulary(), mtc.Vocabulary())
}

func TestFlagsHaveConstantsAndDescriptions(t *testing.T) {
	for flag, name := range map[phases.Flags]string{
		mtc.Quiesce: "Quiesce", mtc.HasStagePods: "HasStagePods", mtc.HasPVs: "HasPVs", mtc.HasVerify: "HasVerify",
		mtc.HasISs: "HasISs", mtc.DirectImage: "DirectImage", mtc.IndirectImage: "IndirectImage",
		mtc.DirectVolume: "DirectVolume", mtc.IndirectVolume: "IndirectVolume", mtc.HasStageBackup: "HasStageBackup",
		mtc.EnableImage: "EnableImage", mtc.EnableVolume: "EnableVolume", mtc.HasPreBackupHooks: "HasPreBackupHooks",
		mtc.HasPostBackupHooks: "HasPostBackupHooks", mtc.HasPreRestoreHooks: "HasPreRestoreHooks",
		mtc.HasPostRestoreHooks: "HasPostRestoreHooks", mtc.StorageConversion: "StorageConversion", mtc.LiveVmMigration: "LiveVmMigration",
		mtc.RollingBack: "RollingBack",
	} {
		assert.Equal(t, []string{name}, mtc.Vocabulary().Names(flag))
		assertSentence(t, name, mtc.Vocabulary().Describe(flag))
	}
}

// The recorded runs list flags in upstream's order.
func TestFlagsAreInTheRecordedOrder(t *testing.T) {
	for line := range strings.Lines(string(testdata(t, "objects.want.jsonl"))) {
		var w want
		require.NoError(t, json.Unmarshal([]byte(line), &w))
		set, err := mtc.Vocabulary().Parse(w.Flags...)
		require.NoError(t, err)
		assert.Equal(t, mtc.Vocabulary().Names(set), w.Flags, w.Name)
	}
}

// assertSentence checks that a description fits into a table or a pipeline: it must
// be one short sentence without a full stop, and not just the name.
func assertSentence(t *testing.T, name, text string) {
	t.Helper()
	assert.NotEqual(t, name, text)
	assert.GreaterOrEqual(t, len(strings.Fields(text)), 3, "%s: %q is not a sentence", name, text)
	assert.LessOrEqual(t, len(text), 90, "%s: %q is long", name, text)
	assert.False(t, strings.ContainsAny(text, ".!?;\n\t"), "%s: %q is more than one sentence, or ends in a full stop", name, text)
	assert.Equal(t, strings.TrimSpace(text), text, name)
	assert.False(t, slices.ContainsFunc([]rune(text), unicode.IsControl), name)
}
