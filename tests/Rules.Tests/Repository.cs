namespace Orderwright.Rules.Tests;

/// <summary>Files of the repository that the tests compare with the code.</summary>
static class Repository
{
    public static readonly string Root = Find();

    static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Orderwright.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
