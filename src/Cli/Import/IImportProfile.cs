namespace Orderwright.Cli.Import;

/// <summary>Reads files of one format, and turns their lines into operations.</summary>
interface IImportProfile
{
    IReadOnlyList<string> RequiredColumns { get; }

    /// <summary>Reads a line; null with a reason for an unreadable line.</summary>
    SourceLine? Read(int number, Fields fields, out string? why);

    /// <summary>Plans the import. Pure: equal lines and openings result in equal plans.</summary>
    ImportPlan Plan(SourceFile file, Openings openings);
}
