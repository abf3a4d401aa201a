using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Storage.Postgres;

namespace Orderwright.Hosting;

/// <summary>
/// The argument <c>migrate</c>: migrates the schemas of a process's services and ends, for installations whose services may not
/// alter tables (<c>ORDERWRIGHT_MIGRATE=false</c>). <c>--script</c> prints the pending statements instead; <c>--grant ROLE</c>
/// gives the role of a service the rights on rows.
/// </summary>
static class MigrateCommand
{
    public const string Name = "migrate";

    sealed class MigrateSettings
    {
        /// <summary>With the verb <c>migrate</c>: print the pending statements instead of running them.</summary>
        public bool Script { get; set; }

        /// <summary>
        /// With the verb <c>migrate</c>: role of the services, to be given the rights on rows. Default: the services own their
        /// tables.
        /// </summary>
        public string Grant { get; set; } = "";
    }

    public static async Task<int> RunAsync(
        IConfiguration configuration, SettingsSource source, IReadOnlyList<IServiceModule> modules)
    {
        var settings = configuration.Bind<MigrateSettings>();
        var grant = settings.Grant.Length > 0 ? settings.Grant : null;
        var addresses = modules.ToDictionary(
            module => module, module => Databases.AddressOf(module.Name, configuration, modules.Count > 1));
        // Variables of the service itself are none of ours; an argument is.
        _ = source.Unknown();
        foreach (var (module, address) in addresses)
        {
            if (Databases.PostgresOf(address, module.Name) is not { } connectionString)
                throw new InvalidSettingException(
                    "DATABASE", address, "the address of a PostgreSQL database; a service migrates its SQLite file itself");
            await RunAsync(module, connectionString, Databases.Place(address, module.Name), grant, settings.Script);
        }
        return 0;
    }

    static async Task RunAsync(IServiceModule module, string connectionString, string place, string? grant, bool isScript)
    {
        var migrations = SqlCatalog.MigrationsOf(module, "postgres");
        if (isScript)
        {
            Console.Write(await PostgresMigrations.ScriptAsync(connectionString, migrations, grant, default));
            return;
        }
        var applied = await PostgresMigrations.ApplyAsync(connectionString, migrations, grant, default);
        foreach (var migration in applied)
            Console.WriteLine($"{place}: applied {migration.Number:000}_{migration.Name} of {migration.Module}");
        Console.WriteLine(
            $"{place}: {(applied.Count == 0 ? "nothing to migrate" : "up to date")}"
            + $"{(grant is null ? "." : $"; {grant} has the rights on rows.")}");
    }
}
