namespace Orderwright.Cli.Import;

/// <summary>How a file of one kind is read, and what its lines mean.</summary>
interface IImportProfile
{
    IReadOnlyList<string> RequiredColumns { get; }

    /// <summary>The line, or null and why it cannot be read.</summary>
    SourceLine? Read(int number, Fields fields, out string? why);

    /// <summary>Pure: the same lines and openings make the same plan.</summary>
    ImportPlan Plan(SourceFile file, Openings openings);
}
