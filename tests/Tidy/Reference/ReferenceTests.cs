using System.Text.RegularExpressions;

namespace Orderwright.Tidy.Reference;

/// <summary>
/// Compares generated pages of docs/reference with the source. With <c>ORDERWRIGHT_WRITE_DOCS=1</c> the pages are written.
/// </summary>
public partial class ReferenceTests
{
    /// <summary>Generated pages, by path. Add a page here.</summary>
    static readonly Dictionary<string, Func<string>> Pages = new()
    {
        ["docs/reference/settings.md"] = SettingsReference.Write,
        ["docs/reference/errors.md"] = ErrorsReference.Write,
    };

    public static TheoryData<string> Paths => [.. Pages.Keys];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Generated_reference_is_up_to_date(string path)
    {
        var text = Pages[path]();
        var file = Path.Combine(SourceTree.Root, path);
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_WRITE_DOCS") == "1") File.WriteAllText(file, text);
        Assert.Equal(text, File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "");
    }

    [Fact]
    public void Every_setting_has_a_summary() =>
        Assert.Empty(SettingsReference.All().Where(setting => setting.Summary.Length == 0).Select(setting => setting.Property));

    [Fact]
    public void Settings_are_read_through_options_only() =>
        Assert.Empty(
            from file in SourceTree.Read("src", "*.cs")
            where !file.Path.EndsWith("/Settings.cs", StringComparison.Ordinal)
                && !file.Path.EndsWith("/StandardSettings.cs", StringComparison.Ordinal)
            from match in AdHocSetting().Matches(file.Text).AsEnumerable()
            where !AllowedAdHoc.Contains((file.Path, match.Groups[1].Value))
            select $"{file.Path} reads {match.Value}");

    [Fact]
    public void Every_code_of_a_problem_is_documented() =>
        Assert.Empty(
            from file in SourceTree.Read("src", "*.cs")
            from code in ErrorsReference.CodesIn(file.Text).Except(ErrorsReference.Documented())
            select $"{file.Path} uses the code {code}");

    [Theory]
    [InlineData("Problem.Conflict(\n    \"not_there\", \"Text.\")")]
    [InlineData("Problem.Of(StatusCodes.Status409Conflict, \"not_there\", \"Text.\")")]
    [InlineData("check.Fail(\"/lines\", \"not_there\", \"Text.\")")]
    public void An_undocumented_code_is_found(string source) =>
        Assert.Equal(["not_there"], ErrorsReference.CodesIn(source).Except(ErrorsReference.Documented()));

    // The answer decides whether another setting's default applies, so a documented setting is read a second time.
    static readonly HashSet<(string Path, string Name)> AllowedAdHoc =
    [
        ("src/Runtime/FaultPoints.cs", "KEYS"),
        ("src/Runtime/FaultPoints.cs", "LISTEN"),
        ("src/AllInOne/Program.cs", "KEYS"),
        ("src/OrderService/Webhooks/WebhookSettings.cs", "KEYS"),
        ("src/SagaCoordinator/Notices/NoticeSettings.cs", "KEYS"),
        ("src/SagaCoordinator/SagaModule.cs", "KEYS"),
        ("src/SandboxGateway/GatewayModule.cs", "DATA"),
        ("src/CustomerService/Providers/Sandbox/SandboxSettings.cs", "Listen"),
        ("src/CustomerService/Providers/Sandbox/SandboxSettings.cs", "Sandbox"),
    ];

    [GeneratedRegex(@"\b(?:[cC]onfiguration|settings)\[""(\w+)""\]")]
    private static partial Regex AdHocSetting();
}
