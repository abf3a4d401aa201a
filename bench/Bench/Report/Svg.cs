using System.Globalization;
using System.Net;
using System.Text;

namespace Orderwright.Bench;

/// <summary>Three small charts as SVG text, readable on light and dark pages.</summary>
static class Svg
{
    const int Width = 760;
    const int LabelWidth = 250;
    const int Row = 26;
    const int Top = 40;

    static readonly string[] Colours =
        ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f", "#76b7b2", "#edc948"];

    /// <summary>Bars to the median, each with a line from lowest to highest.</summary>
    public static string Bars(string title, IReadOnlyList<(string Name, Spread Value)> bars)
    {
        var most = bars.Max(bar => bar.Value.Highest) * 1.1;
        var (svg, y) = (Begin(title, Top + Row * bars.Count + 10), Top);
        foreach (var (name, value) in bars)
        {
            Label(svg, name, y);
            Box(svg, LabelWidth, y, Scale(value.Median, most), Colours[0], Markdown.Number(value.Median));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"""
                <path d="M{X(value.Lowest, most):F1} {y + 9}H{X(value.Highest, most):F1}" stroke="#888" stroke-width="2"/>

                """);
            Text(svg, X(value.Highest, most) + 6, y + 13, Markdown.Number(value.Median), "start", "#888");
            y += Row;
        }
        return End(svg);
    }

    /// <summary>Stacked bars, all with the same parts.</summary>
    public static string StackedBars(
        string title, IReadOnlyList<(string Name, IReadOnlyDictionary<string, double> Parts)> bars)
    {
        var parts = bars.SelectMany(bar => bar.Parts.Keys).Distinct().ToList();
        var most = bars.Max(bar => bar.Parts.Values.Sum()) * 1.1;
        var (svg, y) = (Begin(title, Top + Row * bars.Count + 30), Top);
        foreach (var (name, values) in bars)
        {
            Label(svg, name, y);
            var x = (double)LabelWidth;
            foreach (var part in parts.Where(values.ContainsKey))
            {
                var width = Scale(values[part], most);
                Box(svg, x, y, width, ColourOf(parts.IndexOf(part)), $"{part} {Markdown.Number(values[part])}");
                x += width;
            }
            Text(svg, x + 4, y + 13, Markdown.Number(values.Values.Sum()), "start", "#888");
            y += Row;
        }
        Legend(svg, parts, y + 8);
        return End(svg);
    }

    /// <summary>Lines over evenly spaced marks, on a logarithmic scale.</summary>
    public static string Lines(
        string title, IReadOnlyList<string> marks, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> lines)
    {
        const int Left = 50;
        const int Height = 220;
        var lowest = Math.Log10(lines.SelectMany(line => line.Values).Min());
        var highest = Math.Log10(lines.SelectMany(line => line.Values).Max());
        (lowest, highest) = (Math.Floor(lowest), Math.Ceiling(highest));
        double AtX(int mark) => Left + (Width - Left - 20d) * mark / (marks.Count - 1);
        double AtY(double value) => Top + Height * (highest - Math.Log10(value)) / (highest - lowest);

        var svg = Begin(title, Top + Height + 50);
        for (var power = lowest; power <= highest; power++)
        {
            var y = AtY(Math.Pow(10, power));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"""<path d="M{Left} {y:F1}H{Width - 20}" stroke="#888" stroke-opacity="0.4"/>{'\n'}""");
            Text(svg, Left - 6, y + 4, Markdown.Number(Math.Pow(10, power)), "end", "#888");
        }
        for (var mark = 0; mark < marks.Count; mark++) Text(svg, AtX(mark), Top + Height + 16, marks[mark], "middle", "#888");
        for (var line = 0; line < lines.Count; line++)
        {
            var points = string.Join(' ', lines[line].Values.Select((value, mark) =>
                string.Create(CultureInfo.InvariantCulture, $"{AtX(mark):F1},{AtY(value):F1}")));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"""<polyline points="{points}" fill="none" stroke="{ColourOf(line)}" stroke-width="2"/>{'\n'}""");
        }
        Legend(svg, [.. lines.Select(line => line.Name)], Top + Height + 30);
        return End(svg);
    }

    static double Scale(double value, double most) => value / most * (Width - LabelWidth - 50);

    static double X(double value, double most) => LabelWidth + Scale(value, most);

    static string ColourOf(int index) => Colours[index % Colours.Length];

    static StringBuilder Begin(string title, int height)
    {
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" role="img"
                font-family="sans-serif" font-size="12">
            <title>{WebUtility.HtmlEncode(title)}</title>

            """);
        Text(svg, 10, 22, title, "start", "#888", "font-size=\"14\" font-weight=\"bold\"");
        return svg;
    }

    static string End(StringBuilder svg) => svg.Append("</svg>\n").ToString();

    static void Label(StringBuilder svg, string name, int y) => Text(svg, LabelWidth - 8, y + 13, name, "end", "#888");

    static void Box(StringBuilder svg, double x, int y, double width, string colour, string title) => svg.Append(
        CultureInfo.InvariantCulture,
        $"""
        <rect x="{x:F1}" y="{y}" width="{width:F1}" height="18" fill="{colour}">
        <title>{WebUtility.HtmlEncode(title)}</title></rect>

        """);

    static void Legend(StringBuilder svg, IReadOnlyList<string> names, int y)
    {
        var x = 10;
        for (var i = 0; i < names.Count; i++)
        {
            Box(svg, x, y, 12, ColourOf(i), names[i]);
            Text(svg, x + 16, y + 13, names[i], "start", "#888");
            x += 26 + 6 * names[i].Length;
        }
    }

    static void Text(
        StringBuilder svg, double x, double y, string text, string anchor, string colour, string further = "") => svg.Append(
        CultureInfo.InvariantCulture,
        $"""
        <text x="{x:F1}" y="{y:F1}" text-anchor="{anchor}" fill="{colour}" {further}>{WebUtility.HtmlEncode(text)}</text>

        """);
}
