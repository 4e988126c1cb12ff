package dump

import (
	"fmt"
	"strings"
)

// paint is a colour in light and dark themes.
type paint struct{ light, dark string }

// The colours of the picture. Text has a contrast of at least 4.5 to its background,
// shapes at least 3. The blue, the amber and the red also differ in lightness, and no
// meaning is conveyed by colour alone.
var (
	paper  = paint{"#ffffff", "#0d1117"}
	panel  = paint{"#f3f5f8", "#171d26"}
	edging = paint{"#dbe1e8", "#2a323d"}
	ink    = paint{"#1b222c", "#e8edf3"}
	faded  = paint{"#56606c", "#9aa5b1"}
	thin   = paint{"#7d8894", "#6b7683"}
	blue   = paint{"#0b5fcc", "#5aa2ff"}
	tint   = paint{"#dcebff", "#15304f"}
	amber  = paint{"#8f5600", "#e3a83b"}
	violet = paint{"#6d3fb0", "#b491f0"}
	red    = paint{"#bf2630", "#ff7a76"}
	green  = paint{"#1a7f37", "#4ac26b"}

	tintNew     = paint{"#e6f5ea", "#12301d"}
	tintGone    = paint{"#fdeceb", "#3a1b1e"}
	tintChanged = paint{"#fff5dd", "#33290f"}
)

// rule is the style of a class: its theme-independent part and its colours.
type rule struct {
	class, style string
	fill, stroke *paint
}

// rules is the complete style. Selectors begin with the class of the picture, so a page
// that embeds it keeps its own styles.
var rules = []rule{
	{class: "paper", fill: &paper},
	{class: "panel", fill: &panel, stroke: &edging},
	{class: "tint", fill: &tint},
	{class: "rownew", fill: &tintNew},
	{class: "rowgone", fill: &tintGone},
	{class: "rowchanged", fill: &tintChanged},
	// Texts.
	{class: "title", style: "font-size:22px;font-weight:700", fill: &ink},
	{class: "part", style: "font-size:18px;font-weight:700", fill: &ink},
	{class: "step", style: "font-size:15px;font-weight:600", fill: &ink},
	{class: "stepoff", style: "font-size:15px;font-weight:600", fill: &faded},
	{class: "name", style: "font-size:14px", fill: &ink},
	{class: "here", style: "font-size:14px;font-weight:600", fill: &ink},
	{class: "off", style: "font-size:14px", fill: &faded},
	{class: "cut", style: "font-size:14px;text-decoration:line-through", fill: &faded},
	{class: "note", style: "font-size:12px", fill: &faded},
	{class: "say", style: "font-size:12px;font-weight:600", fill: &ink},
	{class: "tag", style: "font-size:12px;font-weight:600", fill: &paper},
	// Lines.
	{class: "rail", style: "fill:none;stroke-width:4;stroke-linecap:round", stroke: &blue},
	{class: "may", style: "fill:none;stroke-width:4;stroke-dasharray:5 5", stroke: &blue},
	{class: "gone", style: "fill:none;stroke-width:1.5", stroke: &thin},
	{class: "arc", style: "fill:none;stroke-width:1.5", stroke: &blue},
	{class: "arcmay", style: "fill:none;stroke-width:1.5;stroke-dasharray:4 3", stroke: &blue},
	{class: "arcgone", style: "fill:none;stroke-width:1;stroke-dasharray:1 3", stroke: &thin},
	{class: "arcchoice", style: "fill:none;stroke-width:1.5", stroke: &violet},
	{class: "arcmaychoice", style: "fill:none;stroke-width:1.5;stroke-dasharray:8 3 1.5 3", stroke: &violet},
	{class: "arcnew", style: "fill:none;stroke-width:3", stroke: &green},
	{class: "arcold", style: "fill:none;stroke-width:1.5;stroke-dasharray:2 2", stroke: &red},
	{class: "head", fill: &blue},
	{class: "headnew", fill: &green},
	{class: "headold", fill: &red},
	{class: "opennew", style: "fill:none;stroke-width:3", stroke: &green},
	{class: "openold", style: "fill:none;stroke-width:1.5", stroke: &red},
	{class: "headchoice", fill: &violet},
	{class: "headgone", fill: &thin},
	{class: "open", style: "fill:none;stroke-width:1.5", stroke: &blue},
	{class: "opengone", style: "fill:none;stroke-width:1.5", stroke: &thin},
	// Marks.
	{class: "stop", style: "stroke-width:2.5", fill: &panel, stroke: &blue},
	{class: "full", fill: &blue},
	{class: "hole", fill: &panel},
	{class: "past", fill: &thin},
	{class: "out", style: "stroke-width:1.5", fill: &panel, stroke: &thin},
	{class: "ask", style: "stroke-width:1.5", fill: &panel, stroke: &amber},
	{class: "mark", style: "fill:none;stroke-width:1.6;stroke-linecap:round", stroke: &amber},
	{class: "pick", style: "stroke-width:1.5", fill: &panel, stroke: &violet},
	{class: "branch", style: "fill:none;stroke-width:1.4;stroke-linecap:round", stroke: &violet},
	{class: "end", style: "fill:none;stroke-width:2;stroke-linecap:round", stroke: &thin},
	{class: "ring", style: "fill:none;stroke-width:1.6;stroke-dasharray:3 2.2", stroke: &amber},
	{class: "void", style: "stroke-width:1.5;stroke-dasharray:2 2", fill: &panel, stroke: &thin},
	{class: "plus", style: "fill:none;stroke-width:2.2;stroke-linecap:round", stroke: &green},
	{class: "minus", style: "fill:none;stroke-width:2.2;stroke-linecap:round", stroke: &red},
	{class: "wave", style: "fill:none;stroke-width:2;stroke-linecap:round", stroke: &ink},
	{class: "good", fill: &green},
	{class: "bad", fill: &red},
	{class: "miss", style: "stroke-width:2.5", fill: &panel, stroke: &red},
	{class: "cross", style: "fill:none;stroke-width:2;stroke-linecap:round", stroke: &paper},
}

// StyleSheet returns the style of all pictures, for a page that embeds the output of
// [Drawing.InlineSVG]. All its rules apply to class dp and its descendants only.
func StyleSheet() string { return css(func(string) bool { return true }) + "\n" }

// css writes the rules of the used classes. Colours are literal, because programs that
// convert pictures do not support CSS variables.
func css(used func(class string) bool) string {
	var always, dark strings.Builder
	always.WriteString(".dp{max-width:100%;height:auto}\n.dp text{font-family:ui-sans-serif,system-ui,sans-serif;white-space:pre}")
	for _, r := range rules {
		if !used(r.class) {
			continue
		}
		var light, night []string
		if r.style != "" {
			light = append(light, r.style)
		}
		for _, c := range []struct {
			property string
			paint    *paint
		}{{"fill", r.fill}, {"stroke", r.stroke}} {
			if c.paint != nil {
				light = append(light, c.property+":"+c.paint.light)
				night = append(night, c.property+":"+c.paint.dark)
			}
		}
		fmt.Fprintf(&always, "\n.dp .%s{%s}", r.class, strings.Join(light, ";"))
		fmt.Fprintf(&dark, "\n.dp .%s{%s}", r.class, strings.Join(night, ";"))
	}
	return always.String() + "\n@media (prefers-color-scheme:dark){" + dark.String() + "\n}"
}
