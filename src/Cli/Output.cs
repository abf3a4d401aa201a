using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Orderwright.Contracts;
using Spectre.Console;

namespace Orderwright.Cli;

/// <summary>
/// Output of a verb: JSON for programs (<c>--json</c>), tables on a terminal, tab-separated lines in a pipe or under
/// <c>NO_COLOR</c>. Text from the server is never interpreted as markup.
/// </summary>
sealed class Output(bool json)
{
    static readonly JsonWriterOptions Indented =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public bool IsJson => json;

    /// <summary>Colours, tables and progress bars can be shown.</summary>
    public bool IsTerminal { get; } =
        !json && !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Prints the server's reply unchanged, under <c>--json</c> only.</summary>
    public void ShowJson(JsonElement value)
    {
        if (json) Json(value.WriteTo);
    }

    /// <summary>Prints the reply of a service with the reply of another as one more property, under <c>--json</c> only.</summary>
    public void ShowJson(JsonElement value, string name, JsonElement? more)
    {
        if (!json) return;
        Json(writer =>
        {
            writer.WriteStartObject();
            foreach (var property in value.EnumerateObject()) property.WriteTo(writer);
            if (more is { } added)
            {
                writer.WritePropertyName(name);
                added.WriteTo(writer);
            }
            writer.WriteEndObject();
        });
    }

    public static void Json(Action<Utf8JsonWriter> write)
    {
        using var stream = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stream, Indented)) write(writer);
        stream.Write("\n"u8);
    }

    /// <summary>Prints a line, except under <c>--json</c>.</summary>
    public void Line(string text)
    {
        if (!json) Console.WriteLine(text);
    }

    /// <summary>Prints advice for a person on standard error, where a program that reads the output does not meet it.</summary>
    public void Advise(string text)
    {
        if (!json) Console.Error.WriteLine(text);
    }

    /// <summary>Prints a line after a mark: a green tick, a red cross or a yellow dot.</summary>
    public void Mark(bool? good, string text)
    {
        if (json) return;
        var mark = good switch { true => "✓", false => "✗", null => "·" };
        if (IsTerminal)
        {
            var colour = good switch { true => "green", false => "red", null => "yellow" };
            AnsiConsole.MarkupLineInterpolated($"[{colour}]{mark}[/] {text}");
        }
        else
            Console.WriteLine($"{mark} {text}");
    }

    /// <summary>Age of a moment for a person, such as <c>5 min</c>; for a program, the moment.</summary>
    /// <param name="moment">ISO 8601, or empty.</param>
    public string Age(string moment)
    {
        if (!IsTerminal || !DateTimeOffset.TryParse(moment, CultureInfo.InvariantCulture, out var at)) return moment;
        var age = TimeProvider.System.GetUtcNow() - at;
        return age.TotalSeconds < 100 ? $"{Math.Max(0, (int)age.TotalSeconds)} s"
            : age.TotalMinutes < 100 ? $"{(int)age.TotalMinutes} min"
            : age.TotalHours < 48 ? $"{(int)age.TotalHours} h"
            : $"{(int)age.TotalDays} d";
    }

    /// <summary>Id of an order for a person: the short form, which every verb accepts. For a program, the whole.</summary>
    public string Id(string id) => IsTerminal ? ShortId.Of(id) : id;

    /// <summary>Prints columns and rows. A heading with <c>#</c> at its end aligns its column to the right.</summary>
    /// <param name="headings">Headings, a column each.</param>
    /// <param name="rows">Rows with a cell per column.</param>
    /// <param name="leastFirst">
    /// Headings of the columns that a narrow terminal leaves out, the first of them first. A pipe gets all columns.
    /// </param>
    public void Table(
        IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows, params IReadOnlyList<string> leastFirst)
    {
        if (json) return;
        if (!IsTerminal)
        {
            Console.WriteLine(string.Join('\t', headings.Select(heading => heading.TrimEnd('#'))));
            foreach (var row in rows) Console.WriteLine(string.Join('\t', row.Select(OneLine)));
            return;
        }
        var all = rows.ToList();
        var shown = Enumerable.Range(0, headings.Count).ToList();
        foreach (var least in leastFirst)
            if (WidthOf(shown, headings, all) > AnsiConsole.Profile.Width)
                shown.RemoveAll(column => headings[column] == least);
        headings = [.. shown.Select(column => headings[column])];
        var table = new Table { Border = TableBorder.Simple };
        foreach (var heading in headings)
        {
            var column = new TableColumn(new Text(heading.TrimEnd('#'), new Style(decoration: Decoration.Bold)));
            table.AddColumn(heading.EndsWith('#') ? column.RightAligned() : column);
        }
        foreach (var row in all) table.AddRow([.. shown.Select(column => new Text(row[column]))]);
        AnsiConsole.Write(table);
    }

    static int WidthOf(List<int> columns, IReadOnlyList<string> headings, List<IReadOnlyList<string>> rows) =>
        columns.Sum(column => 3 + rows.Select(row => row[column].Length).Append(headings[column].TrimEnd('#').Length).Max());

    static string OneLine(string cell) =>
        cell.Replace('\t', ' ').Replace('\r', ' ').Replace('\n', ' ');
}
