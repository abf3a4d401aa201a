using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Orderwright.Tidy;

/// <summary>A file of the repository: its path from the root, with forward slashes, and its text.</summary>
public sealed record SourceFile(string Path, string Text)
{
    public IEnumerable<(int Number, string Line)> Lines =>
        Text.Split('\n').Select((line, index) => (index + 1, line.TrimEnd('\r')));
}

/// <summary>The repository as text.</summary>
public static partial class SourceTree
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Read(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(System.IO.Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => System.IO.Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !BuildOutput().IsMatch(path))
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(path, File.ReadAllText(System.IO.Path.Combine(Root, path))))];

    /// <summary>Names of all folders under a folder, itself included.</summary>
    public static IEnumerable<string> Folders(string folder) =>
        Directory.EnumerateDirectories(System.IO.Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Select(path => System.IO.Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !BuildOutput().IsMatch(path + "/"))
            .Select(path => System.IO.Path.GetFileName(path));

    /// <summary>References between the projects under src, by folder name.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> References() =>
        Read("src", "*.csproj").ToDictionary(
            file => System.IO.Path.GetFileNameWithoutExtension(file.Path),
            file => (IReadOnlyList<string>)[.. XDocument.Parse(file.Text).Descendants("ProjectReference")
                .Select(reference => System.IO.Path.GetFileNameWithoutExtension(
                    reference.Attribute("Include")!.Value.Replace('\\', '/')))]);

    // From the build output, not from the path of this source file: a build in CI maps source paths.
    static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Orderwright.slnx")))
            folder = System.IO.Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex(@"(^|/)(bin|obj)/")]
    private static partial Regex BuildOutput();
}
