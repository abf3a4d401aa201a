namespace Orderwright.Cli.Import;

/// <summary>Reads files of one format, and turns their lines into operations.</summary>
interface IImportProfile
{
    /// <summary>Column of the order number.</summary>
    string OrderColumn { get; }

    IReadOnlyList<string> RequiredColumns { get; }

    IReadOnlyList<string> OptionalColumns { get; }

    /// <summary>Reads a line; null with a reason for an unreadable line.</summary>
    SourceLine? Read(int number, Fields fields, out string? why);

    /// <summary>Looks at all records before the first is read, and may complete them.</summary>
    IReadOnlyList<CsvRecord> Prepare(IReadOnlyList<CsvRecord> records, CsvColumns columns) => records;

    /// <summary>Plans the import. Pure: equal lines and openings result in equal plans.</summary>
    ImportPlan Plan(SourceFile file, Openings openings);
}
