using System.Collections;
using Microsoft.Extensions.Configuration;
using Orderwright.Hosting;
using Orderwright.Runtime;

namespace Orderwright.EndToEnd;

/// <summary>Standard .NET settings: files, connection strings, urls and log levels, below ORDERWRIGHT_* and arguments.</summary>
public sealed class HttpSettingsTests : IDisposable
{
    const string Base = """
        {
          "ConnectionStrings": { "Orderwright": "sqlite:./from-file", "RabbitMq": "amqp://u:p@broker" },
          "Logging": { "LogLevel": { "Default": "Warning", "Orderwright.OrderService": "Debug" } },
          "Orderwright": { "MaxMessages": 256 },
          "Urls": "http://127.0.0.1:5000"
        }
        """;

    readonly string directory = HttpHost.NewDirectory();

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Files_provide_settings()
    {
        WriteFile("appsettings.json", Base);
        var (settings, source, standard) = Read([]);

        Assert.Equal("sqlite:./from-file", settings["DATABASE"]);
        Assert.Equal("amqp://u:p@broker", settings["TRANSPORT"]);
        Assert.Equal("http://127.0.0.1:5000", settings["LISTEN"]);
        Assert.Equal(256, settings.Bind<RuntimeOptions>().MaxMessages);
        Assert.Equal("Warning", settings.Bind<LogSettings>().Log);
        Assert.Equal(
            ("Orderwright.OrderService", "Debug"), standard.LogLevels.Select(level => (level.Category, level.Level)).Single());
        Assert.Empty(source.Warnings);
        Assert.Empty(source.Unknown());
    }

    [Fact]
    public void The_file_of_the_environment_wins_over_the_common_one_and_variables_win_over_both()
    {
        WriteFile("appsettings.json", Base);
        WriteFile("appsettings.Development.json", """{ "ConnectionStrings": { "Orderwright": "sqlite:./dev" } }""");

        Assert.Equal("sqlite:./from-file", Read([]).Settings["DATABASE"]);
        Assert.Equal("sqlite:./dev", Read([], ("ASPNETCORE_ENVIRONMENT", "Development")).Settings["DATABASE"]);
        Assert.Equal("sqlite:./dev", Read([], ("DOTNET_ENVIRONMENT", "Development")).Settings["DATABASE"]);
        Assert.Equal(
            "sqlite:./variable",
            Read([], ("ASPNETCORE_ENVIRONMENT", "Development"), ("ConnectionStrings__Orderwright", "sqlite:./variable"))
                .Settings["DATABASE"]);
    }

    [Theory]
    [InlineData(
        "ORDERWRIGHT_DATABASE", "sqlite:./mine", "DATABASE",
        "ConnectionStrings:Orderwright of appsettings is not used: ORDERWRIGHT_DATABASE is set.")]
    [InlineData(
        "ORDERWRIGHT_DATA", "./mine", "DATA",
        "ConnectionStrings:Orderwright of appsettings is not used: ORDERWRIGHT_DATA is set.")]
    [InlineData(
        "ORDERWRIGHT_TRANSPORT", "inprocess", "TRANSPORT",
        "ConnectionStrings:RabbitMq of appsettings is not used: ORDERWRIGHT_TRANSPORT is set.")]
    [InlineData(
        "ORDERWRIGHT_LISTEN", "http://127.0.0.1:0", "LISTEN",
        "urls of appsettings is not used: ORDERWRIGHT_LISTEN is set.")]
    [InlineData("ORDERWRIGHT_PORT", "0", "PORT", "urls of appsettings is not used: ORDERWRIGHT_PORT is set.")]
    [InlineData(
        "ORDERWRIGHT_LOG", "error", "LOG",
        "Logging:LogLevel:Default of appsettings is not used: ORDERWRIGHT_LOG is set.")]
    [InlineData(
        "ORDERWRIGHT_MAX_MESSAGES", "7", "MAXMESSAGES",
        "Orderwright:MaxMessages of appsettings is not used: ORDERWRIGHT_MAXMESSAGES is set.")]
    public void Own_variables_win_and_the_overridden_setting_is_reported(
        string variable, string value, string setting, string warning)
    {
        WriteFile("appsettings.json", Base);
        var (settings, source, _) = Read([], (variable, value));

        Assert.Equal(value, settings[setting]);
        Assert.Equal([warning], source.Warnings);
    }

    [Fact]
    public void Arguments_win_as_well()
    {
        WriteFile("appsettings.json", Base);
        var (settings, source, _) = Read(["--port", "0", "--max-messages", "7"], ("ASPNETCORE_URLS", "http://127.0.0.1:1"));

        Assert.Null(settings["LISTEN"]);
        Assert.Equal("7", settings["MAXMESSAGES"]);
        Assert.Contains("ASPNETCORE_URLS is not used: ORDERWRIGHT_PORT is set.", source.Warnings);
    }

    [Theory]
    [InlineData(
        """{ "Kestrel": { "Endpoints": { "Http": { "Url": "http://*:80" } } } }""",
        "Kestrel of appsettings is not used: ")]
    [InlineData("""{ "Logging": { "Console": { "FormatterName": "json" } } }""", "Logging:Console of appsettings is not used: ")]
    [InlineData("""{ "AllowedHosts": "shop.example" }""", "AllowedHosts of appsettings is not used: ")]
    [InlineData(
        """{ "Urls": "https://127.0.0.1:1;http://127.0.0.1:2" }""",
        "urls of appsettings names several addresses, and only http://127.0.0.1:2 is used")]
    [InlineData(
        """{ "ConnectionStrings": { "Orderwright": "sqlite:./a", "Database": "sqlite:./b" } }""",
        "ConnectionStrings:Database of appsettings is not used: ConnectionStrings:Orderwright of appsettings is set.")]
    public void A_recognized_setting_without_effect_is_reported(string json, string warning)
    {
        WriteFile("appsettings.json", json);
        Assert.StartsWith(warning, Assert.Single(Read([]).Source.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_without_meaning_here_are_silent()
    {
        WriteFile("appsettings.json", """{ "AllowedHosts": "*", "Mine": { "Key": 1 } }""");
        Assert.Empty(Read([], ("ASPNETCORE_HTTP_PORTS", "8080"), ("SOME__OTHER", "x")).Source.Warnings);
    }

    [Fact]
    public void An_unknown_name_in_our_section_is_reported()
    {
        WriteFile("appsettings.json", """{ "Orderwright": { "MaxMesages": 1 } }""");
        Assert.Equal(["Orderwright:MaxMesages of appsettings"], Read([]).Source.Unknown());
    }

    [Fact]
    public void A_file_that_is_not_JSON_is_refused()
    {
        WriteFile("appsettings.json", "{ \"Urls\": ");
        Assert.Contains(
            "cannot be read", Assert.Throws<InvalidSettingException>(() => Read([])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_for_an_invalid_value_names_its_origin()
    {
        WriteFile("appsettings.json", """{ "Orderwright": { "MaxMessages": 0 } }""");
        var (settings, source, _) = Read([]);
        var error = Assert.Throws<InvalidSettingException>(() => settings.Bind<RuntimeOptions>());
        Assert.Equal(
            "ORDERWRIGHT_MAXMESSAGES is \"0\", which is invalid. Allowed: a whole number, from 1 to 8192. "
            + "The value comes from Orderwright:MaxMessages of appsettings.",
            source.Explain(error));
    }

    [Theory]
    [InlineData("ORDERWRIGHT_LISTEN is \"nowhere\"", "The value comes from ASPNETCORE_URLS.", "ASPNETCORE_URLS", "nowhere")]
    [InlineData(
        "ORDERWRIGHT_LISTEN is \"http://0.0.0.0:0\"", "The value comes from ASPNETCORE_URLS.",
        "ASPNETCORE_URLS", "http://0.0.0.0:0")]
    [InlineData("Logging__LogLevel__Default", "ORDERWRIGHT_LOG is \"loud\"", "Logging__LogLevel__Default", "loud")]
    [InlineData("Logging__LogLevel__Orderwright is \"loud\"", "Allowed: Trace,", "Logging__LogLevel__Orderwright", "loud")]
    public async Task An_invalid_standard_setting_ends_the_process(string sentence, string rest, string variable, string value)
    {
        var (exitCode, output) = await HttpHost.RunAsync(directory, [(variable, value)], "--no-demo", "--no-open");

        Assert.Contains(sentence, output, StringComparison.Ordinal);
        Assert.Contains(rest, output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        Assert.Equal(2, exitCode);
    }

    [Fact]
    public async Task A_process_runs_on_standard_settings_alone_and_prints_its_warnings()
    {
        WriteFile("appsettings.json", """
            { "ConnectionStrings": { "Orderwright": "sqlite:./shop" }, "Urls": "http://127.0.0.1:0",
              "Kestrel": { "Endpoints": {} , "X": 1 } }
            """);
        await using var host = await HttpHost.StartInAsync(directory, "--no-demo", "--no-open");

        Assert.True(File.Exists(Path.Combine(directory, "shop", "order-service.db")));
        Assert.Contains("Kestrel of appsettings is not used: ", host.Output, StringComparison.Ordinal);
        Assert.Equal(200, (await host.Client.AskAsync("/health/ready")).Status);
        Assert.Equal(0, await host.StopAsync());
    }

    void WriteFile(string name, string text) => File.WriteAllText(Path.Combine(directory, name), text);

    (IConfiguration Settings, SettingsSource Source, StandardSettings Standard) Read(
        string[] arguments, params (string Name, string Value)[] variables)
    {
        var environment = new Hashtable();
        foreach (var (name, value) in variables) environment[name] = value;
        var standard = new StandardSettings(directory, environment);
        var source = new SettingsSource(arguments, environment, standard);
        return (new ConfigurationBuilder().Add(source).Build(), source, standard);
    }
}
