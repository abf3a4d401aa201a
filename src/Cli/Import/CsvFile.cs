using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>Properties of a file that are not detected.</summary>
/// <param name="Encoding">Name of the encoding; null for UTF-8, or for the encoding that a byte order mark names.</param>
/// <param name="Delimiter">Null to take the delimiter that finds the columns in the heading.</param>
/// <param name="Headings">Heading of a column, where the heading is not the column's name.</param>
sealed record CsvOptions(
    string? Encoding = null, char? Delimiter = null, IReadOnlyDictionary<string, string>? Headings = null);

/// <summary>Positions of the columns in the records of a file.</summary>
/// <param name="Width">Number of headings, unnamed ones included.</param>
/// <param name="Named">Number of headings up to the last named one.</param>
/// <param name="Index">Position by the profile's name of the column.</param>
sealed record CsvColumns(int Width, int Named, IReadOnlyDictionary<string, int> Index)
{
    public string Of(CsvRecord record, string column) =>
        Index.TryGetValue(column, out var at) && at < record.Fields.Length ? record.Fields[at] : "";
}

/// <summary>Fields of one record by column name; empty for a missing column.</summary>
readonly struct Fields(CsvRecord record, CsvColumns columns)
{
    public string this[string column] => columns.Of(record, column);
}

/// <summary>
/// Reads a CSV file with a heading, optionally gzipped, completely into memory. Encoding and delimiter are detected where only
/// one is possible; blank lines and a first line <c>sep=;</c> are skipped.
/// </summary>
/// <param name="path">Name in messages.</param>
/// <param name="open">Opens the content, which is read several times.</param>
/// <param name="profile">Profile that reads the columns.</param>
/// <param name="options">Properties of the file.</param>
sealed class CsvFile(string path, Func<Stream> open, IImportProfile profile, CsvOptions options)
{
    public const int MaxRecords = 5_000_000;

    static readonly char[] Delimiters = [',', ';', '\t', '|'];

    // Registered once: windows-1252 and its siblings are not among the encodings known from the start.
    static CsvFile() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    readonly Encoding encoding = EncodingOf(path, open, options.Encoding);

    /// <exception cref="ToolException">Nothing of the file is readable.</exception>
    public static SourceFile Read(string path, IImportProfile profile, CsvOptions? options = null) =>
        Read(path, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 65_536), profile, options);

    /// <inheritdoc cref="Read(string, IImportProfile, CsvOptions?)"/>
    public static SourceFile Read(string path, Func<Stream> open, IImportProfile profile, CsvOptions? options = null)
    {
        try
        {
            return new CsvFile(path, open, profile, options ?? new CsvOptions()).Read();
        }
        catch (InvalidDataException error)
        {
            throw new ToolException(Exit.Unreadable, $"{path} is damaged: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(Exit.Usage, $"{path} cannot be opened: {error.Message}");
        }
    }

    SourceFile Read()
    {
        var separator = Separator();
        var (delimiter, columns) = Detect(separator);
        using var text = Text();
        var reader = new CsvReader(text, delimiter);
        SkipHeading(reader, separator is not null);
        var records = profile.Prepare(ReadRecords(reader, columns), columns);

        var lines = new List<SourceLine>();
        var bad = new List<BadLine>();
        foreach (var record in records)
        {
            var why = record.Why;
            if (why is null && profile.Read(record.Line, new Fields(record, columns), out why) is { } line) lines.Add(line);
            else
                bad.Add(new BadLine(
                    record.Line, why!, columns.Of(record, profile.OrderColumn), record.Why is null ? null : record.Fields));
        }
        if (reader.UnclosedAt is not null) bad[^1] = ToEnd(bad[^1], lines, delimiter);
        return new SourceFile(Id(), lines, bad);
    }

    // As in 0.1.0, so that an import begun there can be continued. Files that differ only in their line breaks are the same.
    string Id()
    {
        using var text = Text();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text.ReadLine()!));
        while (text.ReadLine() is { } line) hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    List<CsvRecord> ReadRecords(CsvReader reader, CsvColumns columns)
    {
        var records = new List<CsvRecord>();
        var texts = new Dictionary<string, string>();
        while (Next(reader) is { } record)
        {
            if (records.Count == MaxRecords)
                throw new ToolException(Exit.Unreadable, $"{path} has more than {MaxRecords} records. Split the file.");
            var fields = record.Fields;
            for (var i = 0; i < fields.Length; i++)
            {
                // Equal texts share one string, as files repeat them often.
                var trimmed = fields[i].Trim();
                if (!texts.TryGetValue(trimmed, out var known)) texts.Add(trimmed, known = trimmed);
                fields[i] = known;
            }
            records.Add(record.Why is null && !Fits(fields, columns)
                ? record with { Why = $"{fields.Length} fields instead of {columns.Width} as in the heading" }
                : record);
        }
        return records;
    }

    // Spreadsheets add empty fields to a line, or drop those below an empty heading.
    static bool Fits(string[] fields, CsvColumns columns) =>
        fields.Length >= columns.Named && fields.Skip(columns.Width).All(field => field.Length == 0);

    // Orders of earlier lines may continue in the part that cannot be read, where each cell may be their number.
    BadLine ToEnd(BadLine bad, List<SourceLine> lines, char delimiter)
    {
        using var text = Text();
        var words = new CsvReader(text, delimiter, quotes: false);
        var rest = new HashSet<string>();
        while (words.Read() is { } record)
            if (record.Line >= bad.Number) rest.UnionWith(record.Fields.Select(field => field.Trim()));
        return bad with
        {
            Why = $"{bad.Why}: nothing from line {bad.Number} on is read",
            Cells = [.. lines.Select(line => line.Order).Distinct()
                .Where(order => rest.Contains(order) || order.AsSpan().IndexOfAny(delimiter, '"', '\n') >= 0)],
            ToEnd = true,
        };
    }

    /// <summary>The delimiter of a first line such as <c>sep=;</c>, which spreadsheets write and read.</summary>
    char? Separator()
    {
        using var text = Text();
        // A record of a single field: no text contains this delimiter.
        var first = Next(new CsvReader(text, '\uFFFE'))
            ?? throw new ToolException(Exit.Unreadable, $"{path} is empty.");
        if (first.Fields is not [var line, ..]) return null;
        if (line.Contains('\0', StringComparison.Ordinal))
            throw new ToolException(
                Exit.Unreadable, $"{path}, line {first.Line}: NUL characters. A file in UTF-16 needs --encoding utf-16.");
        return line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && line.Length > 4 && line[4] != '"'
            && line.AsSpan(5).Trim(",;\t ").IsEmpty ? line[4] : null;
    }

    (char Delimiter, CsvColumns Columns) Detect(char? separator)
    {
        var found = new List<(char, CsvColumns)>();
        var faults = new List<(int Fields, string Why)>();
        foreach (var delimiter in options.Delimiter is { } given ? [given] : separator is { } named ? [named] : Delimiters)
        {
            using var text = Text();
            var reader = new CsvReader(text, delimiter);
            var heading = SkipHeading(reader, separator is not null);
            if (Columns(heading, out var fault) is { } columns) found.Add((delimiter, columns));
            else faults.Add((heading.Fields.Length, fault));
        }
        return found switch
        {
            [var only] => only,
            [] => throw new ToolException(
                Exit.Unreadable,
                // The delimiter with the most fields is the likeliest.
                $"{faults.MaxBy(fault => fault.Fields).Why} Delimiters other than comma, semicolon, tab and | need "
                + "--delimiter; other headings need --map."),
            _ => throw new ToolException(
                Exit.Unreadable, $"The heading of {path} can be read with several delimiters. Pass --delimiter."),
        };
    }

    CsvColumns? Columns(CsvRecord heading, out string fault)
    {
        fault = "";
        if (heading.Why is not null)
        {
            fault = $"{path}, line {heading.Line}: the heading is unreadable: {heading.Why}.";
            return null;
        }
        var names = heading.Fields.Select(name => name.Trim()).ToArray();
        var index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var missing = new List<string>();
        foreach (var column in profile.RequiredColumns.Concat(profile.OptionalColumns))
        {
            var wanted = options.Headings?.GetValueOrDefault(column);
            var places = Enumerable.Range(0, names.Length)
                .Where(i => names[i].Equals(wanted ?? column, StringComparison.OrdinalIgnoreCase)).ToList();
            if (places.Count == 1) index.Add(column, places[0]);
            else if (places.Count > 1) fault = $"{path}, line {heading.Line}: the column {wanted ?? column} occurs twice.";
            else if (wanted is not null || profile.RequiredColumns.Contains(column)) missing.Add(wanted ?? column);
        }
        if (missing.Count > 0)
            fault = $"{path}, line {heading.Line}: the heading lacks {string.Join(", ", missing)}. "
                + $"The heading is: {Shown.Of(string.Join(", ", names))}.";
        return fault.Length > 0 ? null : new(names.Length, Array.FindLastIndex(names, name => name.Length > 0) + 1, index);
    }

    CsvRecord SkipHeading(CsvReader reader, bool hasSeparator)
    {
        if (hasSeparator) Next(reader);
        return Next(reader) ?? throw new ToolException(Exit.Unreadable, $"{path} has no heading.");
    }

    CsvRecord? Next(CsvReader reader)
    {
        try
        {
            CsvRecord? record;
            do record = reader.Read();
            while (record is { IsBlank: true });
            return record;
        }
        catch (InvalidTextException error)
        {
            throw new ToolException(
                Exit.Unreadable,
                $"{path}, line {error.Line}: not {encoding.WebName}. "
                + (options.Encoding is null
                    ? "Pass --encoding, such as --encoding windows-1252."
                    : "Pass another --encoding."));
        }
    }

    StreamReader Text() => new(Content(open), encoding, detectEncodingFromByteOrderMarks: false, bufferSize: 65_536);

    // Gzip is detected by the first two bytes, not by the name.
    static Stream Content(Func<Stream> open)
    {
        var file = open();
        var isPacked = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    static Encoding EncodingOf(string path, Func<Stream> open, string? name)
    {
        using var content = Content(open);
        Span<byte> start = stackalloc byte[4];
        var length = content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var marked = Marked(start[..length]);
        Encoding chosen;
        try
        {
            chosen = name is null ? marked ?? Encoding.UTF8 : Encoding.GetEncoding(name);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new ToolException(Exit.Usage, $"--encoding {name} is unknown. Examples: windows-1252, iso-8859-15, utf-16.");
        }
        if (marked is not null && marked.CodePage != chosen.CodePage)
            throw new ToolException(
                Exit.Usage, $"{path} begins with the byte order mark of {marked.WebName}. Leave out --encoding {name}.");
        return Encoding.GetEncoding(
            chosen.CodePage, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback(CsvReader.Invalid.ToString()));
    }

    static Encoding? Marked(ReadOnlySpan<byte> start)
    {
        // UTF-32 first: its mark begins with that of UTF-16.
        foreach (var encoding in (Encoding[])
            [Encoding.UTF32, new UTF32Encoding(true, true), Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode])
            if (start.StartsWith(encoding.Preamble)) return encoding;
        return null;
    }
}

/// <summary>Texts of a file in messages: short, and without characters that control a terminal.</summary>
static class Shown
{
    const int MaxLength = 60;

    public static string Of(string text) =>
        string.Concat((text.Length <= MaxLength ? text : text[..MaxLength] + "…").Select(c => char.IsControl(c) ? '�' : c));
}
