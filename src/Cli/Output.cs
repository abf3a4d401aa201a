using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Orderwright.Cli;

/// <summary>
/// What a verb says: JSON for programs (<c>--json</c>), a table on a terminal, tab-separated lines when piped or under
/// <c>NO_COLOR</c>. Text of the server is never read as markup.
/// </summary>
sealed class Output(bool json)
{
    static readonly JsonWriterOptions Indented =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Option<bool> JsonOption() => new("--json") { Description = "JSON on standard output, for programs." };

    public bool IsJson => json;

    /// <summary>Somebody is watching: colours, tables and progress bars are welcome.</summary>
    public bool IsTerminal { get; } =
        !json && !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>The server's answer as it came, under <c>--json</c>; else nothing.</summary>
    public void ShowJson(JsonElement value)
    {
        if (json) Json(value.WriteTo);
    }

    /// <summary>The same with what another service says of it, if it does.</summary>
    public void ShowJson(JsonElement value, string name, JsonElement? more)
    {
        if (!json) return;
        Json(writer =>
        {
            writer.WriteStartObject();
            foreach (var property in value.EnumerateObject()) property.WriteTo(writer);
            if (more is { } its)
            {
                writer.WritePropertyName(name);
                its.WriteTo(writer);
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

    /// <summary>A line for people; under <c>--json</c> nothing, as only JSON may stand there.</summary>
    public void Line(string text)
    {
        if (!json) Console.WriteLine(text);
    }

    /// <summary>A line with a mark in front: a green tick, a red cross, a yellow dot.</summary>
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

    /// <summary>Columns and rows; a heading that ends in <c>#</c> is of numbers and stands to the right.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        if (json) return;
        if (!IsTerminal)
        {
            Console.WriteLine(string.Join('\t', headings.Select(heading => heading.TrimEnd('#'))));
            foreach (var row in rows) Console.WriteLine(string.Join('\t', row.Select(OneLine)));
            return;
        }
        var table = new Table { Border = TableBorder.Simple };
        foreach (var heading in headings)
        {
            var column = new TableColumn(new Text(heading.TrimEnd('#'), new Style(decoration: Decoration.Bold)));
            table.AddColumn(heading.EndsWith('#') ? column.RightAligned() : column);
        }
        foreach (var row in rows) table.AddRow([.. row.Select(cell => new Text(cell))]);
        AnsiConsole.Write(table);
    }

    static string OneLine(string cell) =>
        cell.Replace('\t', ' ').Replace('\r', ' ').Replace('\n', ' ');
}
